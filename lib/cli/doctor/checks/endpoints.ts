import { anError, couldNotCheck, type Finding } from "../findings/finding.ts";

/** What a function URL responded to a signed call. `spoke`: whether the function itself did, and not Lambda in front of it. */
export type UrlReply =
  | { readonly kind: "responded"; readonly status: number; readonly spoke: boolean }
  | { readonly kind: "silent"; readonly why: string };

/** Checks that a function responds at its URL. The function `node` refuses people, which shows that it runs. */
export function endpointFindings({ name, url, reply }: { name: string; url: string; reply: UrlReply }): readonly Finding[] {
  const logs = `aws logs tail /aws/lambda/${name} --since 15m`;
  if (reply.kind === "silent")
    return [anError("endpoints.silent", `${name} does not respond at ${url}: ${reply.why}`, `npx cdk deploy if the URL is gone; ${logs}`)];
  const { status, spoke } = reply;
  if (spoke && status < 500) return [];
  if (status === 403)
    return [
      couldNotCheck(
        "endpoints",
        `Lambda denied the call of ${name}`,
        "use credentials with lambda:InvokeFunctionUrl and lambda:InvokeFunction",
      ),
    ];
  return [anError("endpoints.failed", `${name} responds with status ${status} at ${url}`, logs)];
}
