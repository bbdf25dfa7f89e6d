import type { IncomingHttpHeaders } from "node:http";

/**
 * The AWS service that a call is signed for, as its signature says; undefined for an unsigned one.
 * Presigned calls carry the signature in the query.
 */
export function serviceOf(path: string, headers: IncomingHttpHeaders): string | undefined {
  const inHeader = /Credential=[^/\s,]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(headers.authorization ?? "")?.[1];
  if (inHeader !== undefined) return inHeader;
  const query = path.indexOf("?");
  const credential = query < 0 ? null : new URLSearchParams(path.slice(query)).get("X-Amz-Credential");
  return credential?.split("/")[3];
}
