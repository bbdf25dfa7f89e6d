import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { type NodeCall, NodeResponse } from "../../../events/node-call.ts";
import { FleetError } from "../../model/fleet-error.ts";

export type InstanceCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
};

export type NodeClientOptions = {
  readonly url: string;
  readonly region: string;
  /** Returns the instance's credentials. It is called before every request. */
  readonly credentials: () => Promise<InstanceCredentials>;
  /** For one call, including its response body. */
  readonly timeoutMs?: number;
};

/** Makes one signed call. Throws a FleetError (`retry`) if it fails. */
export type CallNode = (call: NodeCall, signal?: AbortSignal) => Promise<NodeResponse>;

export function nodeClient({ url, region, credentials, timeoutMs = 10_000 }: NodeClientOptions): CallNode {
  const target = new URL(url);
  return async (call, signal) => {
    const body = JSON.stringify(call);
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(target, {
        method: "POST",
        headers: await signedHeaders(target, { body, region, credentials: await credentials() }),
        body,
        redirect: "error",
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
      const text = await response.text();
      if (!response.ok)
        throw new FleetError("node-call", `The node function returned HTTP status ${response.status}: ${text.slice(0, 200)}`, {
          retry: true,
        });
      return parseResponse(text);
    } catch (error) {
      if (error instanceof FleetError) throw error;
      throw new FleetError("node-call", "The node function could not be reached", { retry: true, cause: error });
    }
  };
}

async function signedHeaders(
  target: URL,
  what: { body: string; region: string; credentials: InstanceCredentials },
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = what.credentials;
  const signer = new SignatureV4({
    service: "lambda",
    region: what.region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    sha256: Sha256,
  });
  const signed = await signer.sign({
    method: "POST",
    protocol: target.protocol,
    hostname: target.hostname,
    path: target.pathname,
    query: Object.fromEntries(target.searchParams),
    headers: { host: target.host, "content-type": "application/json" },
    body: what.body,
  });
  return signed.headers;
}

function parseResponse(text: string): NodeResponse {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's error must not be the cause, because it quotes the text, which may contain credentials.
    throw new FleetError("node-call", "The node function's response is not JSON", { retry: true });
  }
  const parsed = NodeResponse.safeParse(value);
  // The message must name paths only, because the values contain credentials.
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => `${issue.path.join(".")} (${issue.code})`).join(", ");
    throw new FleetError("node-call", `The node function's response does not match the protocol: ${where}`, { retry: true });
  }
  return parsed.data;
}

/** Remembers credentials, and calls `fetch` again only when they have less than five minutes left. */
export function remembered(fetch: () => Promise<InstanceCredentials>, wallMs: () => number): () => Promise<InstanceCredentials> {
  const minLeftMs = 5 * 60_000;
  let known: InstanceCredentials | undefined;
  return async () => {
    if (known?.expiration === undefined || known.expiration.getTime() - wallMs() < minLeftMs) known = await fetch();
    return known;
  };
}
