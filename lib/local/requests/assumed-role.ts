import type { IssuedCredentials, Principal } from "./identities.ts";

/** Returns the credentials that a successful AssumeRole of MiniStack issued, and their principal. Undefined for any other call. */
export function assumedRole(
  request: string,
  response: string,
): { readonly principal: Principal; readonly credentials: IssuedCredentials } | undefined {
  const params = new URLSearchParams(request);
  const given = (tag: string): string => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(response)?.[1] ?? "";
  const role = /:role\/(?:.*\/)?([^/]+)$/.exec(params.get("RoleArn") ?? "")?.[1];
  const [accessKeyId, secretAccessKey, sessionToken] = [given("AccessKeyId"), given("SecretAccessKey"), given("SessionToken")];
  const expiresAtMs = Date.parse(given("Expiration"));
  if (params.get("Action") !== "AssumeRole" || role === undefined || accessKeyId === "" || Number.isNaN(expiresAtMs)) return undefined;
  return {
    principal: { role, session: params.get("RoleSessionName") ?? "" },
    credentials: { accessKeyId, secretAccessKey, sessionToken, expiresAtMs },
  };
}
