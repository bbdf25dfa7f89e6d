import { expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { CommandEnd } from "../../../lib/worker/program/command.ts";
import { pullImage, pullTimeoutMs } from "../../../lib/worker/run/container-image.ts";
import type { DockerCallOptions } from "../../../lib/worker/run/docker.ts";
import { ManualClock } from "./manual-clock.ts";

async function pulled(...ends: readonly CommandEnd[]) {
  const calls: { args: readonly string[]; bounds: DockerCallOptions }[] = [];
  const lines: string[] = [];
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const run = async (args: readonly string[], bounds: DockerCallOptions) => {
    calls.push({ args, bounds });
    bounds.onOutput?.(Buffer.from("layer 1\nlayer 2"));
    return ends[calls.length - 1] ?? ends.at(-1) ?? ok;
  };
  const order = { image: "registry/train:1", onLine: (line: string) => void lines.push(line), timeoutMs: 7 };
  const work = pullImage({ file: "docker", env: {}, run }, order, { clock, random: () => 0, signal, most: 3 }).catch(
    (error: unknown) => error,
  );
  await clock.pass(60_000);
  return { error: await work, calls, lines, signal };
}

const ok: CommandEnd = { kind: "ended", code: 0, stdout: "", stderr: "" };
const complains = (stderr: string): CommandEnd => ({ kind: "ended", code: 1, stdout: "", stderr });
const spawnError = new Error("spawn docker EACCES");
const notStarted = (reason: string): CommandEnd => ({ kind: "not-started", reason, error: spawnError });

test("an image is pulled with the time and the signal that it was given, and its progress is written line by line", async () => {
  const { error, calls, lines, signal } = await pulled(ok);
  expect(error).toBeUndefined();
  expect(calls).toMatchObject([{ args: ["pull", "registry/train:1"], bounds: { timeoutMs: 7 } }]);
  expect(calls[0]?.bounds.signal).toBe(signal);
  expect(lines).toEqual(["layer 1", "layer 2"]);
  expect(pullTimeoutMs).toBe(1_800_000);
});

test.each([
  "manifest unknown",
  "manifest for train:1 not found",
  "train:1: not found",
  "no matching manifest for linux/arm64",
  "name unknown",
  "repository does not exist or may require login",
  "repository registry/train not found",
  "pull access denied for train",
  "requested access to the resource is denied",
  "denied: no",
  "Error response from daemon: denied",
  "unauthorized: log in",
  "no basic auth credentials",
  "invalid reference format",
])("an image is not asked for again if the engine says: %s", async (why) => {
  const { error, calls } = await pulled(complains(why.replace(/^denied/, "registry: denied")));
  expect(error).toBeInstanceOf(FleetError);
  expect(error).toMatchObject({
    code: "image",
    retry: false,
    message: expect.stringContaining("the image registry/train:1 is not available: "),
  });
  expect(calls).toHaveLength(1);
});

test.each([
  "toomanyrequests: denied",
  "429 too many requests: unauthorized",
  "rate limit, pull access denied",
  "no space left on device",
  "EOF",
])("an image is asked for again, three times in all, if the engine says: %s", async (why) => {
  const { error, calls } = await pulled(complains(why));
  expect(error).toMatchObject({ code: "image", retry: true, message: `the image registry/train:1 could not be fetched: ${why}` });
  expect(calls).toHaveLength(3);
});

test("an image that the engine has at the second try is pulled", async () => {
  const { error, calls } = await pulled(complains("EOF"), ok);
  expect(error).toBeUndefined();
  expect(calls).toHaveLength(2);
});

test.each(["spawn docker EACCES", "manifest unknown"])("the error that kept the client from starting is the cause: %s", async (reason) => {
  const { error } = await pulled(notStarted(reason));
  expect((error as Error).cause).toBe(spawnError);
});
