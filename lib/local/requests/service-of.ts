import type { IncomingHttpHeaders } from "node:http";

/** Whose access key signed a call, and for which service; undefined for an unsigned one. Presigned calls carry this in the query. */
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
