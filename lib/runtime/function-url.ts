import * as z from "zod";
import { jsonOf } from "../../events/json.ts";

/** A call of a function URL with IAM authorization, as Lambda passes it to the function (payload 2.0). */
const UrlCall = z.object({
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    /** The account of the function. */
    accountId: z.string(),
    authorizer: z.object({ iam: z.object({ userArn: z.string(), accountId: z.string() }) }),
  }),
});

/**
 * The caller's role and session name, and the body. EC2 names an instance's session after the instance id,
 * and no instance can choose another name. Both are empty if the caller has not assumed a role of the function's own account, because a role
 * of another account may have the same name.
 */
export type InstanceCall = { readonly role: string; readonly session: string; readonly body: unknown };

export type UrlResponse = { readonly statusCode: number; readonly headers: Record<string, string>; readonly body: string };

/** Returns the caller and its JSON body, which is undefined if the body is not JSON. */
export function readCall(event: unknown): InstanceCall {
  const call = UrlCall.parse(event);
  const text = call.isBase64Encoded ? Buffer.from(call.body ?? "", "base64").toString("utf8") : (call.body ?? "");
  const { accountId: owner, authorizer } = call.requestContext;
  const { userArn, accountId } = authorizer.iam;
  const [, role = "", session = ""] = (accountId === owner && /:assumed-role\/(?:.+\/)?([^/]+)\/([^/]+)$/.exec(userArn)) || [];
  return { role, session, body: jsonOf(text) };
}

export const jsonResponse = (statusCode: number, value: object): UrlResponse => ({
  statusCode,
  headers: { "content-type": statusCode < 400 ? "application/json" : "application/problem+json" },
  body: JSON.stringify(value),
});
