import * as z from "zod";
import { jsonOf } from "./json.ts";

/** A call of a function URL with IAM authorization, as Lambda passes it on (payload 2.0). */
const UrlCall = z.object({
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    /** `AROA…:SESSION`: EC2 names an instance's session by its instance id, and no instance can choose another. */
    authorizer: z.object({ iam: z.object({ userId: z.string() }) }),
  }),
});

export type Caller = { readonly session: string; readonly body: unknown };

export type UrlAnswer = { readonly statusCode: number; readonly headers: Record<string, string>; readonly body: string };

/** Who calls, and the JSON it sent (undefined when that is not JSON). */
export function readCall(event: unknown): Caller {
  const call = UrlCall.parse(event);
  const text = call.isBase64Encoded ? Buffer.from(call.body ?? "", "base64").toString("utf8") : (call.body ?? "");
  const [, session = ""] = call.requestContext.authorizer.iam.userId.split(":");
  return { session, body: jsonOf(text) };
}

export const answer = (statusCode: number, value: object): UrlAnswer => ({
  statusCode,
  headers: { "content-type": statusCode < 400 ? "application/json" : "application/problem+json" },
  body: JSON.stringify(value),
});
