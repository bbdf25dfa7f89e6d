import type { IncomingHttpHeaders } from "node:http";

export type SignedFor = {
  readonly accessKeyId: string;
  readonly service: string;
  /** Empty for long-lived credentials. */
  readonly sessionToken: string;
};

/** Returns who signed a call, and for which service, or undefined if it is not signed. Presigned calls have all of it in the query. */
export function signedFor(path: string, headers: IncomingHttpHeaders): SignedFor | undefined {
  const inHeader = /Credential=([^\s,]+)/.exec(headers.authorization ?? "")?.[1];
  const query = path.indexOf("?");
  const presigned = inHeader === undefined && query >= 0 ? new URLSearchParams(path.slice(query)) : undefined;
  const credential = inHeader ?? presigned?.get("X-Amz-Credential");
  const [, accessKeyId, service] = /^([^/]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request$/.exec(credential ?? "") ?? [];
  if (accessKeyId === undefined || service === undefined) return undefined;
  const sessionToken = presigned ? (presigned.get("X-Amz-Security-Token") ?? "") : String(headers["x-amz-security-token"] ?? "");
  return { accessKeyId, service, sessionToken };
}
