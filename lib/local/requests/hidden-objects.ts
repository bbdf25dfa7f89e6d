import { isAllowed, type Statement } from "./policy.ts";

/** A call to S3 and MiniStack's response. `body` is empty for a HEAD. */
export type S3Exchange = { readonly method: string; readonly path: string; readonly status: number; readonly body: string };

/**
 * S3 does not reveal to a caller without s3:ListBucket that an object does not exist: it denies access instead. MiniStack always
 * returns 404, and code that relies on it would fail on AWS. Returns S3's response if it differs from MiniStack's, or undefined.
 * `statements`: the caller's policy statements; undefined if the caller is not known here. `account`: the account of all buckets.
 */
export function hiddenObject(
  exchange: S3Exchange,
  statements: readonly Statement[] | undefined,
  account: string,
): { readonly body: string } | undefined {
  const bucket = bucketOf(exchange);
  if (bucket === undefined || statements === undefined) return undefined;
  // A read of an object has no `s3:prefix`, so a permission with a condition on it does not count, as on AWS.
  const context = { "aws:resourceaccount": account };
  if (isAllowed(statements, { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}`, context })) return undefined;
  if (exchange.method === "HEAD") return { body: "" };
  return { body: '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>' };
}

/** Returns the bucket of an object that was read and does not exist, or undefined for any other exchange. */
function bucketOf({ method, path, status, body }: S3Exchange): string | undefined {
  const [, bucket] = /^\/([^/?]+)\/[^?]/.exec(path) ?? [];
  const absent = method === "HEAD" || (method === "GET" && body.includes("<Code>NoSuchKey</Code>"));
  return status === 404 && absent ? bucket : undefined;
}
