import { isAllowed, type Statement } from "./policy.ts";

/** A call to S3, and what MiniStack answered. `body` is empty for a HEAD. */
export type S3Exchange = { readonly method: string; readonly path: string; readonly status: number; readonly body: string };

/**
 * S3 does not say that an object does not exist to a caller without s3:ListBucket: it denies access instead. MiniStack always
 * says it, and code that rests on its 404 would fail on AWS. Returns what S3 would answer in place of MiniStack, or undefined
 * when that is the same. `statements`: what the caller may do; undefined for a caller who is not known here.
 */
export function hiddenObject(exchange: S3Exchange, statements: readonly Statement[] | undefined): { readonly body: string } | undefined {
  const bucket = bucketOf(exchange);
  if (bucket === undefined || statements === undefined) return undefined;
  // A read of one object has no `s3:prefix`: a right that is bound to one does not count here, as on AWS.
  if (isAllowed(statements, { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}` })) return undefined;
  if (exchange.method === "HEAD") return { body: "" };
  return { body: '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>' };
}

/** The bucket of an object that was read and does not exist; undefined for any other exchange. */
function bucketOf({ method, path, status, body }: S3Exchange): string | undefined {
  const [, bucket] = /^\/([^/?]+)\/[^?]/.exec(path) ?? [];
  const absent = method === "HEAD" || (method === "GET" && body.includes("<Code>NoSuchKey</Code>"));
  return status === 404 && absent ? bucket : undefined;
}
