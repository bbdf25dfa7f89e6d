import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { parseGpus } from "../../../lib/worker/gpu/gpu-readings.ts";
import { watchInstance } from "../../../lib/worker/instance/instance-watch.ts";
import { metadataAt } from "../../../lib/worker/instance/metadata.ts";
import { logLimits } from "../../../lib/worker/logs/log-stream.ts";
import { runCommand } from "../../../lib/worker/program/command.ts";
import { complaintOf, didIt } from "../../../lib/worker/run/docker.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { ManualClock } from "./manual-clock.ts";

describe("a reading of a GPU", () => {
  const read = (field: string, value: string) => parseGpus(`0, ${value}`, ["index", field])[0];

  test.each([
    ["utilization.gpu", "utilizationPercent", ["0", "100"], ["-1", "101", "100.1"]],
    ["memory.used", "memoryUsedMiB", ["0", "81559 MiB"], ["-1"]],
    ["memory.total", "memoryTotalMiB", ["0", "999999999999"], ["-1", "9999999999999"]],
    ["power.draw", "powerWatts", ["0", "71.25", "71.25 W"], ["-0.5", "1.1234567"]],
    ["temperature.gpu", "temperatureC", ["-5", "0", "99 C"], ["hot"]],
    ["ecc.errors.uncorrected.volatile.total", "eccUncorrected", ["0", "3"], ["-1", "[N/A]"]],
  ])("the column %s is read in its range, and is unknown outside it", (field, name, good, bad) => {
    for (const value of good) expect(read(field, value)).toEqual({ index: 0, [name]: Number.parseFloat(value) });
    for (const value of bad) expect(read(field, value)).toEqual({ index: 0 });
  });

  test("a GPU's name is unknown if the driver gives none, and is cut after 100 characters", () => {
    for (const name of ["", "N/A", "[Unknown Error]"]) expect(read("name", name)).toEqual({ index: 0 });
    expect(read("name", "NVIDIA A10G")?.model).toBe("NVIDIA A10G");
    expect(read("name", "x".repeat(101))?.model).toHaveLength(100);
  });

  test("at most 64 GPUs are read, each once, and lines without a whole index are ignored", () => {
    const lines = ["9999, a", "9999, b", "10000, c", "-1, d", "x, e", "1"];
    expect(parseGpus(lines.join("\n"), ["index", "name"])).toEqual([{ index: 9999, model: "a" }]);
    const many = Array.from({ length: 65 }, (_, n) => `${n}, a`).join("\n");
    expect(parseGpus(many, ["index", "name"])).toHaveLength(64);
  });
});

describe("the time that an interruption leaves", () => {
  test.each([
    ["as the notice says", 120_000, 120_000],
    ["as the notice says, however short", 1, 1],
    ["115 s if the clock is behind", 120_001, 115_000],
    ["115 s if the clock is ahead", 0, 115_000],
  ])("the time left is %s", async (_what, aheadMs, leftMs) => {
    const clock = new ManualClock();
    const time = new Date(clock.wallMs() + aheadMs).toISOString();
    const get = async (path: string) => (path.endsWith("instance-action") ? JSON.stringify({ action: "terminate", time }) : undefined);
    const stop = new AbortController();
    const news = watchInstance({ metadata: { get }, clock, log: workerLogInto([]), changed: () => undefined, signal: stop.signal });
    await clock.pass(0);
    stop.abort();
    expect(news()).toEqual({ notice: { kind: "interruption", atMs: clock.wallMs() + aheadMs - 120_000 }, endsAtMs: leftMs });
  });
});

describe("the metadata service", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function serviceThat(answer: (path: string, asked: number) => { status?: number; body?: string }) {
    const asked: string[] = [];
    server = createServer((request, response) => {
      asked.push(
        `${request.method} ${request.url} ${request.headers["x-aws-ec2-metadata-token"] ?? request.headers["x-aws-ec2-metadata-token-ttl-seconds"]}`,
      );
      const { status = 200, body = "token" } = answer(request.url ?? "", asked.length);
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const metadata = metadataAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return { asked, metadata };
  }
  const isToken = (path: string) => path.endsWith("/api/token");

  test("a token for six hours is used until the service refuses it, and a text of 16 KiB is accepted", async () => {
    const text = "x".repeat(16 * 1024);
    const { asked, metadata } = await serviceThat((path) => (isToken(path) ? {} : { body: text }));
    expect([await metadata.get("a"), await metadata.get("b")]).toEqual([text, text]);
    expect(asked).toEqual(["PUT /latest/api/token 21600", "GET /latest/a token", "GET /latest/b token"]);
  });

  test.each([
    ["is longer than 16 KiB", { body: "x".repeat(16 * 1024 + 1) }, "HTTP status 200"],
    ["is an error", { status: 500 }, "HTTP status 500"],
  ])("a response that %s is an error, after which another token is requested", async (_what, answer, message) => {
    const { asked, metadata } = await serviceThat((path) => (isToken(path) ? {} : answer));
    await expect(metadata.get("a")).rejects.toThrow(message);
    await expect(metadata.get("a")).rejects.toThrow(message);
    expect(asked.filter((each) => each.startsWith("PUT"))).toHaveLength(2);
  });

  test("a missing document is none, and a service without tokens is an error", async () => {
    const { metadata } = await serviceThat((path) => (isToken(path) ? {} : { status: 404 }));
    expect(await metadata.get("a")).toBeUndefined();
    server?.close();
    const { metadata: closed } = await serviceThat(() => ({ status: 403 }));
    await expect(closed.get("a")).rejects.toThrow("the metadata service returned no token: HTTP status 403");
  });
});

describe("what a docker command printed", () => {
  test.each([
    ["its errors in one line", { stderr: "no\n such  image \n", stdout: "x" }, "no such image"],
    ["its output if it printed no errors", { stderr: " ", stdout: "x\ny" }, "x y"],
    ["its exit code if it printed nothing", { stderr: "", stdout: "" }, "docker exited with code 3"],
    ["no advice about help", { stderr: "bad flag. Run 'docker run --help' for more information", stdout: "" }, "bad flag."],
    ["at most 1,000 characters", { stderr: "x".repeat(1_001), stdout: "" }, "x".repeat(1_000)],
  ])("a complaint has %s", (_what, printed, complaint) => {
    expect(complaintOf({ kind: "ended", code: 3, ...printed })).toBe(complaint);
  });

  test("a command that was killed complains with its reason, and only exit code 0 is a success", () => {
    expect(complaintOf({ kind: "killed", reason: "it was stopped" })).toBe("it was stopped");
    expect([0, 1].map((code) => didIt({ kind: "ended", code, stdout: "", stderr: "" }))).toEqual([true, false]);
    expect(didIt({ kind: "killed", reason: "" })).toBe(false);
  });
});

describe("a helper program", () => {
  const run = (script: string, over: object = {}) =>
    runCommand({ file: "/bin/sh", args: ["-c", script], env: { A: "1" }, timeoutMs: 20_000, ...over });

  test("a program ends with its code, its output and its errors, and its output is passed on as it arrives", async () => {
    const pieces: string[] = [];
    const end = await run('echo "out $A"; echo err >&2; exit 3', { onOutput: (bytes: Buffer) => pieces.push(String(bytes)) });
    expect(end).toEqual({ kind: "ended", code: 3, stdout: "out 1\n", stderr: "err\n" });
    expect(pieces.join("")).toBe("out 1\n");
  });

  test("a program that takes too long, is stopped, or is killed from outside says so", async () => {
    expect(await run("sleep 20", { timeoutMs: 30 })).toEqual({ kind: "killed", reason: "it took longer than 0.03 s" });
    const stop = new AbortController();
    const stopped = run("sleep 20", { signal: stop.signal });
    stop.abort();
    expect(await stopped).toEqual({ kind: "killed", reason: "it was stopped" });
    expect(await run("true", { signal: AbortSignal.abort() })).toEqual({ kind: "killed", reason: "it was stopped" });
    expect(await run("kill -9 $$")).toEqual({ kind: "killed", reason: "it was killed" });
  });

  test("the output of a program is kept up to 1 MiB, and all of it is passed on", async () => {
    let bytes = 0;
    const end = await run("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", {
      onOutput: (piece: Buffer) => {
        bytes += piece.length;
      },
    });
    expect(bytes).toBe(3_000_000);
    if (end.kind !== "ended") throw new Error("it did not end");
    for (const kept of [end.stdout, end.stderr]) {
      expect(kept.length).toBeLessThanOrEqual(1024 ** 2);
      expect(kept.length).toBeGreaterThan(900_000);
    }
  });

  test("a program that does not exist is not started, with the error", async () => {
    const end = await runCommand({ file: "/no/such/file", args: [], env: {}, timeoutMs: 20_000 });
    expect(end).toMatchObject({ kind: "not-started", reason: expect.stringContaining("ENOENT"), error: { code: "ENOENT" } });
  });
});

test("an attempt's live log has the documented limits if its order has none", () => {
  const MiB = 1024 ** 2;
  expect(logLimits).toEqual({
    burstBytes: 4 * MiB,
    bytesPerSecond: 256 * 1024,
    totalBytes: 512 * MiB,
    batchLines: 10_000,
    batchBytes: 1_000_000,
    batchMs: 1_000,
    waitingBytes: 8 * MiB,
    newestBytes: 256 * 1024,
  });
});
