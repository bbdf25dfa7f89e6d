import * as z from "zod";
import { inWords } from "../lib/model/errors/in-words.ts";

/**
 * Why S3 did not do what it was asked, as far as its response shows.
 *
 * - `no-bucket`, `no-object`: it does not exist.
 * - `changed`: it is not the object that was asked for (its ETag differs).
 * - `denied`: a policy forbids it, or the object does not exist and the caller may not list the bucket, or the requester has
 *   to pay. S3 sends the same response in all three cases.
 * - `key-denied`: the caller may not use the KMS key that encrypts the object.
 * - `key-unusable`: that key is disabled, deleted or waits for its deletion.
 * - `archived`: the object is in an archive storage class and must be restored first.
 * - `customer-key`: the object is encrypted with a key that only its owner has (SSE-C).
 * - `elsewhere`: the bucket is in another region.
 * - `refused`: another response that does not change if the call is repeated.
 * - `passing`: no response, an error of S3 itself, or expired credentials. The same call may succeed later.
 */
export type S3Refusal = {
  readonly kind:
    | "no-bucket"
    | "no-object"
    | "changed"
    | "denied"
    | "key-denied"
    | "key-unusable"
    | "archived"
    | "customer-key"
    | "elsewhere"
    | "refused"
    | "passing";
  /** S3's own words, for a log or the end of a message. */
  readonly message: string;
};

/** An error as the SDK throws it. `name` is the error code of S3's response; see `codeless` for a response that has none. */
const Thrown = z.object({
  name: z.string(),
  message: z.string().catch(""),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional(),
  StorageClass: z.string().optional(),
});

/** The SDK's names for a response without an error code: a response to a HEAD, which never has a body, and some from proxies. */
export const codeless: ReadonlySet<string> = new Set(["Unknown", "UnknownError"]);

const kinds: Readonly<Partial<Record<S3Refusal["kind"], readonly string[]>>> = {
  "no-bucket": ["NoSuchBucket"],
  "no-object": ["NoSuchKey", "NoSuchVersion", "NotFound"],
  changed: ["PreconditionFailed"],
  archived: ["InvalidObjectState"],
  elsewhere: ["PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException", "IncorrectEndpoint"],
  // S3 passes on the error codes of KMS with this prefix.
  "key-unusable": ["KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException", "KMS.InvalidKeyUsageException"],
  "key-denied": ["KMS.AccessDeniedException"],
  // These are about the caller's credentials. Their status is 403, but S3 has not looked for the object.
  refused: ["InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidToken", "AccountProblem", "NotSignedUp"],
  passing: [
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "SlowDown",
    "Throttling",
    "InternalError",
    "ServiceUnavailable",
    "OperationAborted",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "BadDigest",
    "XAmzContentSHA256Mismatch",
    // The client renews its credentials.
    "ExpiredToken",
    "TokenRefreshRequired",
    "KMS.KMSInternalException",
    "KMS.DependencyTimeoutException",
    "KMS.KeyUnavailableException",
    "KMS.ThrottlingException",
    "KMS.LimitExceededException",
  ],
};

const kindOfCode: ReadonlyMap<string, S3Refusal["kind"]> = new Map(
  Object.entries(kinds).flatMap(([kind, codes]) => codes.map((code) => [code, kind as S3Refusal["kind"]])),
);

const kindOfStatus: ReadonlyMap<number, S3Refusal["kind"]> = new Map([
  [301, "elsewhere"],
  [307, "elsewhere"],
  [404, "no-object"],
  [408, "passing"],
  [409, "passing"],
  [412, "changed"],
  [429, "passing"],
]);

/** Returns why S3 refused a call about an object, from the error that it threw. An error that is not a response of S3 is `passing`. */
export function s3Refusal(error: unknown): S3Refusal {
  const thrown = Thrown.safeParse(error);
  if (!thrown.success) return { kind: "passing", message: inWords(error) };
  const { name, message, $metadata, StorageClass } = thrown.data;
  const status = $metadata?.httpStatusCode;
  const kind = kindOf(name, { status, message });
  const words = codeless.has(name) ? `status ${status ?? "unknown"}` : [name, message].filter((part) => part !== "").join(": ");
  return { kind, message: kind === "archived" && StorageClass !== undefined ? `${words} (${StorageClass})` : words };
}

function kindOf(code: string, { status, message }: { readonly status: number | undefined; readonly message: string }): S3Refusal["kind"] {
  const known = kindOfCode.get(code);
  if (known !== undefined) return known;
  if (status === undefined || status >= 500) return "passing";
  if (status === 401 || status === 403) return whyDenied(message);
  if (code === "InvalidRequest" && /server[- ]side encryption/i.test(message)) return "customer-key";
  if (code === "AuthorizationHeaderMalformed" && /region/i.test(message)) return "elsewhere";
  return kindOfStatus.get(status) ?? "refused";
}

/** Within an organization, S3 names the action that was not allowed. It is `s3:ListBucket` if the object does not exist. */
function whyDenied(message: string): S3Refusal["kind"] {
  if (/perform: "?s3:ListBucket\b/.test(message)) return "no-object";
  return /perform: "?kms:/.test(message) ? "key-denied" : "denied";
}

/** Whether the same call may succeed later without any change by people. */
export const mayPass = ({ kind }: S3Refusal): boolean => kind === "passing";

/** Returns why an object cannot be read and what to do about it, as a text that follows the object's name. */
export function whyUnreadable({ kind, message }: S3Refusal): string {
  switch (kind) {
    case "no-bucket":
      return "its bucket does not exist";
    case "no-object":
      return "it does not exist";
    case "changed":
      return "it has been replaced by another object";
    case "denied":
      return `access was denied: it does not exist, a policy forbids reading it, or its bucket makes the requester pay (S3 said ${message})`;
    case "key-denied":
      return `the policy of the KMS key that encrypts it does not allow its use (S3 said ${message})`;
    case "key-unusable":
      return `the KMS key that encrypts it is disabled or deleted (S3 said ${message})`;
    case "archived":
      return "it is archived: restore it, or copy it to a storage class that can be read at once";
    case "customer-key":
      return "it is encrypted with a key that only its owner has (SSE-C); store it with another encryption";
    case "elsewhere":
      return "its bucket is in another region";
    case "refused":
      return `S3 refused it (${message})`;
    case "passing":
      return message;
  }
}
