import type { HttpCall } from "../../requests/http.ts";
import type { AccessRequest } from "../policy/verdict.ts";
import { type Describe, onAll, type ResourceFacts } from "./facts.ts";
import { keyRequest } from "./kms.ts";

type Target = { readonly bucket: string; readonly key: string; readonly query: URLSearchParams };

/** Returns what a call to S3 asks for, with the use of a KMS key for the objects that it writes. */
export const onS3: Describe = (plain, facts) => {
  const target = targetOf(plain.path);
  const call = withHoisted(plain, target);
  if (target.bucket === "") return onAll("s3:ListAllMyBuckets");
  if (target.key === "") return onBucket(call, target);
  const object = `arn:aws:s3:::${target.bucket}/${target.key}`;
  const action = objectAction(call.method, target.query);
  if (action === undefined) return onAll(`s3:${call.method}Object`);
  const own = { action, resource: object, context: action === "s3:PutObject" ? encryptionOf(call) : {} };
  return [own, ...withHeaders(call, object), ...copied(call), ...(action === "s3:PutObject" ? encrypting(call, target, facts) : [])];
};

/** A presigned URL carries headers in its query. */
function withHoisted(call: HttpCall, { query }: Target): HttpCall {
  const hoisted = [...query].map(([name, value]) => [name.toLowerCase(), value] as const).filter(([name]) => name.startsWith("x-amz-"));
  return { ...call, headers: { ...Object.fromEntries(hoisted), ...call.headers } };
}

function targetOf(path: string): Target {
  const [raw = "", query = ""] = path.split(/\?(.*)/s);
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(raw) ?? [];
  return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key), query: new URLSearchParams(query) };
}

/** Parameters that change nothing about which right is needed, apart from those of uploads and versions, which are looked at below. */
const neutral: ReadonlySet<string> = new Set([
  ...["continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type", "marker", "max-keys", "max-uploads"],
  ...["partNumber", "prefix", "start-after", "upload-id-marker", "uploadId", "uploads", "version-id-marker", "versionId", "x-id"],
]);
const isNeutral = (name: string): boolean => neutral.has(name) || /^(x-amz-|response-)/i.test(name);

/** The part of an object or a bucket that a call is about: a parameter such as `acl` that is none of the neutral ones. */
const partOf = (query: URLSearchParams): string | undefined => [...query.keys()].find((name) => !isNeutral(name));

/**
 * Parts of multipart uploads need the action of the whole object (S3 User Guide, "Multipart upload API and permissions"). Undefined for parts of
 * objects that nothing here uses.
 */
function objectAction(method: string, query: URLSearchParams): string | undefined {
  const part = partOf(query);
  if (part !== undefined && part !== "tagging") return undefined;
  const version = query.has("versionId") ? "Version" : "";
  const tags = part === "tagging" ? "Tagging" : "";
  switch (method) {
    case "GET":
    case "HEAD":
      return query.has("uploadId") ? "s3:ListMultipartUploadParts" : `s3:GetObject${version}${tags}`;
    case "DELETE":
      return query.has("uploadId") ? "s3:AbortMultipartUpload" : `s3:DeleteObject${version}${tags}`;
    case "PUT":
    case "POST":
      return `s3:PutObject${version}${tags}`;
    default:
      return undefined;
  }
}

/** Headers of an upload that need rights of their own. */
const withHeaders = ({ headers }: HttpCall, resource: string): readonly AccessRequest[] =>
  [
    { header: "x-amz-tagging", action: "s3:PutObjectTagging" },
    { header: "x-amz-acl", action: "s3:PutObjectAcl" },
    { header: "x-amz-object-lock-mode", action: "s3:PutObjectRetention" },
    { header: "x-amz-object-lock-legal-hold", action: "s3:PutObjectLegalHold" },
  ].flatMap(({ header, action }) => (headers[header] === undefined ? [] : [{ action, resource, context: {} }]));

function onBucket(call: HttpCall, { bucket, query }: Target): readonly AccessRequest[] {
  const resource = `arn:aws:s3:::${bucket}`;
  if (isDeletion(call)) return deletions(call, resource);
  const action = bucketAction(call.method, query);
  if (action === undefined) return onAll(`s3:${call.method}Bucket`);
  const prefix = query.get("prefix");
  return [{ action, resource, context: action === "s3:ListBucket" && prefix !== null ? { "s3:prefix": [prefix] } : {} }];
}

/** Undefined for parts of buckets that nothing here uses, and whose rights have names of their own. */
function bucketAction(method: string, query: URLSearchParams): string | undefined {
  const part = partOf(query);
  if (method === "PUT" && part === undefined) return "s3:CreateBucket";
  if (method === "DELETE" && part === undefined) return "s3:DeleteBucket";
  if (method !== "GET" && method !== "HEAD") return undefined;
  if (part === "versions") return "s3:ListBucketVersions";
  if (part === "location") return "s3:GetBucketLocation";
  if (part !== undefined) return undefined;
  return query.has("uploads") ? "s3:ListBucketMultipartUploads" : "s3:ListBucket";
}

/** Reports whether a call deletes several objects, which are named in its body. */
export const isDeletion = ({ method, path }: Pick<HttpCall, "method" | "path">): boolean =>
  method === "POST" && new URLSearchParams(path.split(/\?(.*)/s)[1]).has("delete");

const element = "<Object>\\s*<Key>([^<>]*)</Key>\\s*(<VersionId>[^<>]*</VersionId>\\s*)?</Object>";
const elements = new RegExp(element, "g");
/** Nothing but the elements of AWS's clients, so that the emulator cannot read other keys from it than are read here. */
const deletionForm = new RegExp(
  `^(?:<\\?xml[^<>]*\\?>)?\\s*<Delete(?: xmlns="[^"<>]*")?>\\s*(?:(?:${element}|<Quiet>(?:true|false)</Quiet>)\\s*)+</Delete>\\s*$`,
);

/**
 * S3 judges each object of a batch by itself. Here, one that may not be deleted refuses the whole batch, which no caller of ours depends on. A body
 * that is not in the form of AWS's clients is not understood.
 */
function deletions(call: HttpCall, bucketArn: string): readonly AccessRequest[] {
  const text = call.body.toString();
  const objects = deletionForm.test(text) ? [...text.matchAll(elements)] : [];
  if (objects.length === 0) return onAll("s3:DeleteObject");
  return objects.map(([, key = "", version]) => ({
    action: version === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion",
    resource: `${bucketArn}/${unescaped(key)}`,
    context: {},
  }));
}

const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const unescaped = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return named[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });

function copied(call: HttpCall): readonly AccessRequest[] {
  const [source, query] = call.headers["x-amz-copy-source"]?.split("?") ?? [];
  if (source === undefined) return [];
  const action = query === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
  return [{ action, resource: `arn:aws:s3:::${decodeURIComponent(source).replace(/^\//, "")}`, context: {} }];
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
