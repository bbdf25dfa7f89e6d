import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { NodeResponse } from "../../../../events/node-call.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import type { IssuedCredentials } from "../../requests/identities.ts";

/** The facts that a boot script starts with. */
export type BootScript = {
  readonly nodeUrl: string;
  readonly pool: string;
  readonly region: string;
  credentials(): IssuedCredentials;
  /** How long it tries to get a worker, ms. */
  readonly timeoutMs: number;
};

const callTimeoutMs = 15_000;
const downloadTimeoutMs = 60_000;
const retryMs = { first: 200, last: 4000 };

/** Returns how long to wait after a call that failed, if the last pause was this long, ms. */
export const afterFailure = (pauseMs: number = retryMs.first): number => Math.min(pauseMs * 2, retryMs.last);

/**
 * Does what the boot script does on a real instance: asks `node` for the worker's address until it gets one, then downloads the
 * worker. Returns `shutdown` if this instance is not wanted. Throws a FleetError at the timeout, and throws if `signal` is aborted.
 */
export async function fetchWorker(script: BootScript, file: string, signal: AbortSignal): Promise<"fetched" | "shutdown"> {
  const untilMs = Date.now() + script.timeoutMs;
  let pauseMs = retryMs.first;
  let last: unknown;
  while (Date.now() < untilMs) {
    try {
      const response = await callNode(script, signal);
      if (response.kind === "shutdown") return "shutdown";
      if (response.kind === "boot") {
        await download(response.workerUrl, file, signal);
        return "fetched";
      }
      last = response;
      pauseMs = "callAgainMs" in response ? response.callAgainMs : afterFailure(pauseMs);
    } catch (error) {
      signal.throwIfAborted();
      last = error;
      pauseMs = afterFailure(pauseMs);
    }
    await sleep(pauseMs, undefined, { signal });
  }
  throw new FleetError("boot", "The boot script could not get its worker in time", { cause: last });
}

async function callNode(script: BootScript, signal: AbortSignal): Promise<NodeResponse> {
  const url = new URL(script.nodeUrl);
  const body = JSON.stringify({ protocol: 1, kind: "boot", pool: script.pool });
  const { accessKeyId, secretAccessKey, sessionToken } = script.credentials();
  const signer = new SignatureV4({
    service: "lambda",
    region: script.region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method: "POST",
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, "content-type": "application/json" },
    body,
  });
  const response = await fetch(url, {
    method: "POST",
    headers,
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
  });
  const text = await response.text();
  if (!response.ok) throw new FleetError("boot", `The node function returned ${response.status}: ${text.slice(0, 300)}`, { retry: true });
  return NodeResponse.parse(JSON.parse(text));
}

async function download(url: string, file: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(downloadTimeoutMs)]) });
  if (!response.ok) throw new FleetError("boot", `The worker's download returned ${response.status}`, { retry: true });
  await writeFile(file, Buffer.from(await response.arrayBuffer()), { mode: 0o600 });
}
