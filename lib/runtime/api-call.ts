import * as z from "zod";
import type { Caller } from "../api/views/speaker.ts";
import type { UrlAnswer } from "./function-url.ts";

/** A call of a function URL with IAM authorization, payload 2.0, as far as an HTTP request and its signer are in it. */
const UrlCall = z.object({
  rawPath: z.string(),
  rawQueryString: z.string().default(""),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    /** Of the function. */
    accountId: z.string(),
    requestId: z.string(),
    /** Where the call arrived: the URL's own name, whatever the caller says. */
    domainName: z.string().optional(),
    http: z.object({ method: z.string() }),
    authorizer: z.object({ iam: z.object({ userArn: z.string(), accountId: z.string() }) }),
  }),
});

export type ApiCall = {
  readonly request: Request;
  readonly caller: Caller;
  readonly requestId: string;
  /** The URL's own address, as far as the event tells it. */
  readonly origin?: string | undefined;
};

/** The request in an event; throws for what is no call of the URL. */
export function readApiCall(event: unknown): ApiCall {
  const { rawPath, rawQueryString, headers, body, isBase64Encoded, requestContext } = UrlCall.parse(event);
  const url = new URL("https://api");
  url.pathname = rawPath;
  url.search = rawQueryString;
  const { method } = requestContext.http;
  const init = { method: known(method), headers: { "content-type": headers["content-type"] ?? "" } };
  const bytes = Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8");
  const { iam } = requestContext.authorizer;
  return {
    request: new Request(url, bytes.length > 0 && takesBody(init.method) ? { ...init, body: bytes } : init),
    caller: { arn: iam.userArn, account: iam.accountId, owner: requestContext.accountId },
    requestId: requestContext.requestId,
    origin: originOf(requestContext.domainName, headers["x-forwarded-proto"]),
  };
}

/** Function URLs speak HTTPS; a local cloud says that it does not. */
const originOf = (domain: string | undefined, protocol: string | undefined): string | undefined =>
  domain !== undefined && /^[\w.-]+(:\d+)?$/.test(domain) ? `${protocol === "http" ? "http" : "https"}://${domain}` : undefined;

/** A Request cannot be made with just any method; what nobody has an operation for is all the same. */
const known = (method: string): string =>
  ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].includes(method) ? method : "OPTIONS";
const takesBody = (method: string): boolean => method !== "GET" && method !== "HEAD";

export const urlAnswer = async (response: Response): Promise<UrlAnswer> => ({
  statusCode: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});
