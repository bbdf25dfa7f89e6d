import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { afterFailure, fetchWorker } from "../../../lib/local/ec2/instances/boot.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});
let file = "";
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "boot-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  file = join(folder, "worker.mjs");
});

/** A `node` function that returns these responses, and repeats the last one. */
async function aNode(...responses: { status?: number; body: (url: string) => unknown }[]): Promise<{ url: string; calls: number[] }> {
  const calls: number[] = [];
  const server = createServer((request, response) => {
    const url = `http://${request.headers.host}`;
    if (request.url === "/worker") {
      response.end("the worker");
      return;
    }
    const reply = responses[Math.min(calls.length, responses.length - 1)];
    calls.push(performance.now());
    response.writeHead(reply?.status ?? 200);
    response.end(JSON.stringify(reply?.body(url)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  cleanups.push(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, calls };
}

const script = (nodeUrl: string, timeoutMs = 5000) => ({
  nodeUrl,
  pool: "p",
  region: "us-east-1",
  timeoutMs,
  credentials: () => ({ accessKeyId: "A", secretAccessKey: "S", sessionToken: "T", expiresAtMs: 0 }),
});
const never = new AbortController().signal;

it("the boot script waits as long as the node function orders, then downloads the worker", async () => {
  const node = await aNode(
    { body: () => ({ kind: "wait", callAgainMs: 120 }) },
    { body: (url) => ({ kind: "boot", workerUrl: `${url}/worker`, nodeUrl: `${url}/node` }) },
  );
  expect(await fetchWorker(script(node.url), file, never)).toBe("fetched");
  expect(await readFile(file, "utf8")).toBe("the worker");
  // Only its owner may read it, because other users share this machine.
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((node.calls[1] ?? 0) - (node.calls[0] ?? 0)).toBeGreaterThanOrEqual(115);
});

it("the boot script returns shutdown if the node function orders it", async () => {
  const node = await aNode({ body: () => ({ kind: "shutdown", because: "gone" }) });
  expect(await fetchWorker(script(node.url), file, never)).toBe("shutdown");
});

it("the boot script retries after errors and unknown responses, and gives up at its timeout", async () => {
  const node = await aNode({ status: 503, body: () => "later" }, { body: () => ({ kind: "?" }) });
  await expect(fetchWorker(script(node.url, 900), file, never)).rejects.toMatchObject({ code: "boot" });
  expect(node.calls.length).toBeGreaterThanOrEqual(2);
});

it("the boot script stops when its instance ends", async () => {
  const node = await aNode({ body: () => ({ kind: "wait", callAgainMs: 60_000 }) });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await expect(fetchWorker(script(node.url, 60_000), file, stop.signal)).rejects.toThrow();
});

it("the pauses of the boot script double with each failure, from 0.4 s up to 4 s", () => {
  const pauses = [afterFailure()];
  while (pauses.length < 6) pauses.push(afterFailure(pauses.at(-1)));
  expect(pauses).toEqual([400, 800, 1_600, 3_200, 4_000, 4_000]);
});
