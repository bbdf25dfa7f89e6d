import type { HttpCall } from "../requests/http.ts";
import type { IssuedCredentials, Principal } from "../requests/identities.ts";
import { assumptionOf } from "./calls/sts.ts";

/** Returns the credentials that a successful AssumeRole of MiniStack issued, and their principal. Undefined for any other call. */
export function assumedRole(
  call: HttpCall,
  response: string,
): { readonly principal: Principal; readonly credentials: IssuedCredentials } | undefined {
  const assumption = assumptionOf(call);
  const given = (tag: string): string => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(response)?.[1] ?? "";
  const role = /:role\/(?:.*\/)?([^/]+)$/.exec(assumption?.roleArn ?? "")?.[1];
  const [accessKeyId, secretAccessKey, sessionToken] = [given("AccessKeyId"), given("SecretAccessKey"), given("SessionToken")];
  const expiresAtMs = Date.parse(given("Expiration"));
  if (!assumption || role === undefined || accessKeyId === "" || Number.isNaN(expiresAtMs)) return undefined;
  const { session, tags, policy } = assumption;
  return {
    principal: { role, session, tags, ...(policy !== undefined && { policy }) },
    credentials: { accessKeyId, secretAccessKey, sessionToken, expiresAtMs },
  };
}
