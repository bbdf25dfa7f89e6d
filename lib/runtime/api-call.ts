import * as z from "zod";
import type { SigningPrincipal } from "../api/views/speaker.ts";
import type { UrlResponse } from "./function-url.ts";

/** The parts of a function URL call (IAM authorization, payload 2.0) that describe the HTTP request and its signer. */
const UrlCall = z.object({
  rawPath: z.string(),
  rawQueryString: z.string().default(""),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    /** The account of the function. */
    accountId: z.string(),
    requestId: z.string(),
    /** The URL's own host name, regardless of what the caller sends. */
    domainName: z.string().optional(),
    http: z.object({ method: z.string() }),
    authorizer: z.object({ iam: z.object({ userArn: z.string(), accountId: z.string() }) }),
  }),
});

export type ApiCall = {
  readonly request: Request;
  readonly caller: SigningPrincipal;
  readonly requestId: string;
  /** The URL's own address; undefined if the event does not contain it. */
  readonly origin?: string | undefined;
};

/** Returns the request in an event. Throws if the event is not a call of the function URL. */
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

/** Returns the origin with https, which function URLs use, or with http if a local cloud says so in `x-forwarded-proto`. */
const originOf = (domain: string | undefined, protocol: string | undefined): string | undefined =>
  domain !== undefined && /^[\w.-]+(:\d+)?$/.test(domain) ? `${protocol === "http" ? "http" : "https"}://${domain}` : undefined;

/** Maps unknown methods to OPTIONS, because a Request refuses some methods and no operation has any of the others. */
const known = (method: string): string =>
  ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].includes(method) ? method : "OPTIONS";
const takesBody = (method: string): boolean => method !== "GET" && method !== "HEAD";

export const urlResponse = async (response: Response): Promise<UrlResponse> => ({
  statusCode: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});
