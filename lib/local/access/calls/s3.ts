import type { HttpCall } from "../../requests/http.ts";
import type { AccessRequest } from "../policy/verdict.ts";
import { type Describe, onAll, type ResourceFacts } from "./facts.ts";
import { keyRequest } from "./kms.ts";

type Target = { readonly bucket: string; readonly key: string; readonly query: URLSearchParams };

/** Returns what a call to S3 asks for, with the use of a KMS key for the objects that it writes. */
export const onS3: Describe = (call, facts) => {
  const target = targetOf(call.path);
  if (target.bucket === "") return onAll("s3:ListAllMyBuckets");
  if (target.key === "") return onBucket(call, target);
  const object = `arn:aws:s3:::${target.bucket}/${target.key}`;
  const action = objectAction(call.method, target.query);
  const own = { action, resource: object, context: action === "s3:PutObject" ? encryptionOf(call) : {} };
  return [own, ...copied(call), ...(action === "s3:PutObject" ? encrypting(call, target, facts) : [])];
};

function targetOf(path: string): Target {
  const [raw = "", query = ""] = path.split(/\?(.*)/s);
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(raw) ?? [];
  return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key), query: new URLSearchParams(query) };
}

/** Parts of multipart uploads need the action of the whole object (S3 User Guide, "Multipart upload API and permissions"). */
function objectAction(method: string, query: URLSearchParams): string {
  const version = query.has("versionId") ? "Version" : "";
  const tags = query.has("tagging") ? "Tagging" : "";
  switch (method) {
    case "GET":
    case "HEAD":
      return query.has("uploadId") ? "s3:ListMultipartUploadParts" : `s3:GetObject${version}${tags}`;
    case "DELETE":
      return query.has("uploadId") ? "s3:AbortMultipartUpload" : `s3:DeleteObject${version}${tags}`;
    default:
      return `s3:PutObject${version}${tags}`;
  }
}

function onBucket(call: HttpCall, { bucket, query }: Target): readonly AccessRequest[] {
  const resource = `arn:aws:s3:::${bucket}`;
  if (call.method === "POST" && query.has("delete")) return deletions(call, resource);
  const action = bucketAction(call.method, query);
  const prefix = query.get("prefix");
  return [{ action, resource, context: action === "s3:ListBucket" && prefix !== null ? { "s3:prefix": [prefix] } : {} }];
}

function bucketAction(method: string, query: URLSearchParams): string {
  if (method === "PUT" && query.size === 0) return "s3:CreateBucket";
  if (method === "DELETE" && query.size === 0) return "s3:DeleteBucket";
  if (method !== "GET" && method !== "HEAD") return `s3:PutBucket${[...query.keys()].join("-")}`;
  if (query.has("versions")) return "s3:ListBucketVersions";
  if (query.has("uploads")) return "s3:ListBucketMultipartUploads";
  const subresource = ["acl", "encryption", "lifecycle", "location", "policy", "versioning"].find((name) => query.has(name));
  return subresource === undefined ? "s3:ListBucket" : `s3:GetBucket-${subresource}`;
}

/** S3 judges each object of a batch by itself. Here, one that may not be deleted refuses the whole batch, which no caller of ours depends on. */
function deletions(call: HttpCall, bucketArn: string): readonly AccessRequest[] {
  const keys = [...call.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map((found) => unescaped(found[1] ?? ""));
  return keys.map((key) => ({ action: "s3:DeleteObject", resource: `${bucketArn}/${key}`, context: {} }));
}

const unescaped = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&amp;", "&");

function copied(call: HttpCall): readonly AccessRequest[] {
  const source = call.headers["x-amz-copy-source"]?.split("?")[0];
  if (source === undefined) return [];
  return [{ action: "s3:GetObject", resource: `arn:aws:s3:::${decodeURIComponent(source).replace(/^\//, "")}`, context: {} }];
}

const algorithmHeader = "x-amz-server-side-encryption";
export const keyHeader = "x-amz-server-side-encryption-aws-kms-key-id";

function encryptionOf({ headers }: HttpCall): AccessRequest["context"] {
  const given = [algorithmHeader, keyHeader, "x-amz-acl"].flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[`s3:${name}`, [value]] as const];
  });
  return Object.fromEntries(given);
}

/**
 * The use of the named KMS key, which S3 makes in the caller's name. The beginner of a multipart upload must be able to decrypt, too, because S3
 * joins the parts (S3 User Guide, "Protecting data with SSE-KMS"). Without a named key, S3 uses its own, which all in the account may use through
 * S3. Uploads of a part name no key.
 */
function encrypting(call: HttpCall, { bucket, key, query }: Target, facts: ResourceFacts): readonly AccessRequest[] {
  const name = call.headers[keyHeader];
  if (name === undefined) return [];
  const actions = query.has("uploads") ? ["kms:GenerateDataKey", "kms:Decrypt"] : ["kms:GenerateDataKey"];
  return actions.map((action) => viaS3(action, name, { object: `arn:aws:s3:::${bucket}/${key}`, facts }));
}

const viaS3 = (action: string, key: string, { object, facts }: { object: string; facts: ResourceFacts }): AccessRequest =>
  keyRequest(action, key, { facts, encryptionContext: { "aws:s3:arn": object }, via: "s3" });

/**
 * Returns the use of a key that a response needs: S3 decrypts an object for its reader. A HEAD needs it only if it asks for the checksum.
 * `keyName`: the key that the object is encrypted with, from the response.
 */
export function decrypting(call: HttpCall, keyName: string, facts: ResourceFacts): readonly AccessRequest[] {
  const { bucket, key } = targetOf(call.path);
  const reads = call.method === "GET" || (call.method === "HEAD" && call.headers["x-amz-checksum-mode"] !== undefined);
  return reads && key !== "" ? [viaS3("kms:Decrypt", keyName, { object: `arn:aws:s3:::${bucket}/${key}`, facts })] : [];
}

/** A call to S3 and MiniStack's response. `body` is empty for a HEAD. */
type S3Exchange = { readonly method: string; readonly path: string; readonly status: number; readonly body: string };

/**
 * Returns the bucket of an object that was read and does not exist; undefined for any other exchange. S3 does not reveal to a caller without
 * s3:ListBucket that an object does not exist: it denies access instead. MiniStack always returns 404, and code that relies on it would fail
 * on AWS.
 */
export function bucketOfAbsent({ method, path, status, body }: S3Exchange): string | undefined {
  const [, bucket] = /^\/([^/?]+)\/[^?]/.exec(path) ?? [];
  const absent = method === "HEAD" || (method === "GET" && body.includes("<Code>NoSuchKey</Code>"));
  return status === 404 && absent ? bucket : undefined;
}
