import type { IncomingHttpHeaders } from "node:http";

/** Returns the access key and the service of a signed call, or undefined if it is not signed. Presigned calls have both in the query. */
export function signedFor(
  path: string,
  headers: IncomingHttpHeaders,
): { readonly accessKeyId: string; readonly service: string } | undefined {
  const inHeader = /Credential=([^\s,]+)/.exec(headers.authorization ?? "")?.[1];
  const query = path.indexOf("?");
  const credential = inHeader ?? (query < 0 ? null : new URLSearchParams(path.slice(query)).get("X-Amz-Credential"));
  const [, accessKeyId, service] = /^([^/]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request$/.exec(credential ?? "") ?? [];
  return accessKeyId !== undefined && service !== undefined ? { accessKeyId, service } : undefined;
}
