import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { Guard } from "../access/guard.ts";
import { account, arn, type FunctionUrlFact } from "../provision/world.ts";
import type { HttpCall, HttpResponse } from "../requests/http.ts";
import { type Identities, type Principal, sessionArn, userId } from "../requests/identities.ts";
import { type Signer, verifySignature } from "../requests/signature.ts";
import type { LocalLog } from "../run/log-line.ts";
import type { Functions } from "./functions.ts";

export type FunctionUrlOptions = {
  readonly urls: readonly FunctionUrlFact[];
  readonly functions: Functions;
  readonly identities: Identities;
  readonly guard: Pick<Guard, "isAllowed">;
  readonly log: LocalLog;
};

const Response = z.strictObject({
  statusCode: z.int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
  body: z.string().default(""),
  isBase64Encoded: z.boolean().default(false),
});

/** Handles calls to function URLs with IAM authentication: verifies the signature, then checks the policies of the role. */
export function createFunctionUrls(options: FunctionUrlOptions) {
  return async (target: { name: string; path: string }, call: HttpCall): Promise<HttpResponse> => {
    const functionArn = arn("lambda", `function:${target.name}`);
    if (!options.urls.some((url) => url.functionArn === functionArn)) return problem(404, "ResourceNotFoundException", "Not Found");
    const verdict = await verifySignature(call, { identities: options.identities, service: "lambda", nowMs: Date.now() });
    if (verdict.kind === "refused") return problem(403, "InvalidSignatureException", verdict.message);
    if (!mayCall(options.guard, verdict.principal, functionArn)) return problem(403, "AccessDeniedException", "Forbidden");
    const invocation = await options.functions.invoke(target.name, eventOf(target, call, verdict));
    if (invocation.kind === "returned") {
      const response = responseOf(invocation.payload);
      if (response) return response;
    }
    options.log({ message: "function URL call failed", function: target.name, requestId: invocation.requestId });
    return problem(502, "InternalServerErrorException", "Internal Server Error");
  };
}

/** Reports whether a role may call a function's URL. Since October 2025, AWS requires both permissions. */
const mayCall = ({ isAllowed }: Pick<Guard, "isAllowed">, principal: Principal, resource: string): boolean =>
  isAllowed(principal, { action: "lambda:InvokeFunctionUrl", resource, context: { "lambda:functionurlauthtype": ["AWS_IAM"] } }) &&
  isAllowed(principal, { action: "lambda:InvokeFunction", resource, context: { "lambda:invokedviafunctionurl": ["true"] } });

const problem = (status: number, type: string, message: string): HttpResponse => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-errortype": type },
  body: JSON.stringify({ Message: message }),
});

/** Returns a function's result as an HTTP response, or undefined if Lambda would refuse the result. */
function responseOf(payload: unknown): HttpResponse | undefined {
  if (typeof payload !== "object" || payload === null || !("statusCode" in payload))
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: typeof payload === "string" ? payload : JSON.stringify(payload),
    };
  const response = Response.safeParse(payload);
  if (!response.success) return undefined;
  const { statusCode, headers, body, isBase64Encoded } = response.data;
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    status: statusCode,
    headers: { "content-type": "application/json", ...named },
    body: isBase64Encoded ? Buffer.from(body, "base64") : body,
  };
}

/** Returns the event of a function URL in payload format 2.0. */
function eventOf(target: { name: string; path: string }, call: HttpCall, signer: Signer): object {
  const url = new URL(target.path, "http://localhost");
  const now = new Date();
  const callerId = userId(signer.principal);
  const text = isText(call.headers["content-type"]);
  const query = Object.fromEntries([...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name).join(",")]));
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...withoutCookies({ ...call.headers, "x-forwarded-proto": "http" }),
    ...(url.search && { queryStringParameters: query }),
    requestContext: {
      accountId: account,
      apiId: target.name,
      authorizer: {
        iam: {
          accessKey: signer.accessKeyId,
          accountId: account,
          callerId,
          cognitoIdentity: null,
          principalOrgId: null,
          userArn: sessionArn(signer.principal, account),
          userId: callerId,
        },
      },
      domainName: call.headers["host"] ?? "127.0.0.1",
      domainPrefix: target.name,
      http: {
        method: call.method,
        path: url.pathname,
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: call.headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: clfTime(now),
      timeEpoch: now.getTime(),
    },
    ...(call.body.length > 0 && { body: call.body.toString(text ? "utf8" : "base64") }),
    isBase64Encoded: call.body.length > 0 && !text,
  };
}

/** Removes cookies from the headers, because this format has a separate list of them. */
function withoutCookies(headers: Readonly<Record<string, string>>) {
  const { cookie, ...rest } = headers;
  return { headers: rest, ...(cookie !== undefined && { cookies: cookie.split(/;\s*/) }) };
}

const isText = (type = ""): boolean => /^(text\/|application\/(json|javascript|xml|[\w.-]+\+(json|xml)))/.test(type);

/** Returns a date in the format of access logs: `12/Mar/2026:19:03:58 +0000`. */
function clfTime(date: Date): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}
