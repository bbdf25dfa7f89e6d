import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { archiveLimits } from "../../../lib/model/files/archive-entry.ts";
import { artifactLimits } from "../../../lib/worker/artifacts/artifact-limits.ts";
import type { AttemptEvent } from "../../../lib/worker/attempt/attempt.ts";
import { attemptsOn, type LiveAttempt } from "../../../lib/worker/attempt/attempt-run.ts";
import type { NodeData } from "../../../lib/worker/data/datasets.ts";
import { systemClock } from "../../../lib/worker/runtime/clock.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { runOrder } from "./http-fakes.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-attempt-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An attempt on this machine, whose S3 is in memory. `put` may delay or refuse an upload. */
function begun(over: Parameters<typeof runOrder>[0] = {}, put: (key: string) => Promise<void> = async () => undefined) {
  const events: AttemptEvent[] = [];
  const done: string[] = [];
  const logged: string[] = [];
  const s3 = {
    config: { requestChecksumCalculation: async () => "WHEN_REQUIRED" },
    send: async (command: unknown) => {
      if (!(command instanceof PutObjectCommand)) throw new Error("only puts here");
      const key = command.input.Key ?? "";
      await put(key);
      done.push(key);
      return {};
    },
    destroy: () => void done.push("s3 closed"),
  };
  const data: Pick<NodeData, "lists" | "fetch" | "letGo"> = {
    lists: async () => [],
    fetch: async () => undefined,
    letGo: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done.push("data let go");
    },
  };
  const start = attemptsOn({
    folder,
    path: process.env["PATH"] ?? "",
    log: workerLogInto(logged),
    archiveLimits,
    artifactLimits,
    data: data as NodeData,
    clock: systemClock,
    random: () => 0,
    s3: () => s3 as unknown as S3Client,
    logSink: () => ({ put: async () => 0, close: () => void done.push("stream closed") }),
  });
  const order = runOrder({ command: ["sh", "-c", "echo hello"], ...over });
  const live: LiveAttempt = start(order, [], (event) => void events.push(event));
  const reaches = (kind: AttemptEvent["kind"]) => expect.poll(() => events.map((event) => event.kind), { timeout: 10_000 }).toContain(kind);
  const isThere = (): Promise<boolean> =>
    access(join(folder, "attempts")).then(
      () => true,
      () => false,
    );
  return { live, events, done, logged, reaches, isThere, root: join(folder, "attempts", "vision", "train-1", "1") };
}

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe("the removal of an attempt", () => {
  test("an attempt is removed after what is in progress has ended, and its data is let go last", async () => {
    let uploads = 0;
    const slow = Promise.withResolvers<void>();
    const { live, done, reaches, root } = begun({}, async () => {
      uploads += 1;
      await slow.promise;
    });
    await reaches("exited");
    live.upload();
    await expect.poll(() => uploads).toBe(1);
    let removed = false;
    const removal = live.remove().then(() => {
      removed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([removed, done, await there(root)]).toEqual([false, [], true]);
    slow.resolve();
    await removal;
    expect(await there(root)).toBe(false);
    expect(done.slice(-3)).toEqual(["stream closed", "s3 closed", "data let go"]);
    expect(done.some((key) => key.includes("log"))).toBe(true);
  });

  test("an attempt whose program never started uploads its log and no list of files", async () => {
    const { live, events, done, reaches } = begun({ command: ["no-such-program"] });
    await reaches("exited");
    expect(events).toMatchObject([{ kind: "exited", exitCode: 127, leaves: true }]);
    live.upload();
    await reaches("uploaded");
    expect(done.filter((key) => key.endsWith("manifest.json"))).toEqual([]);
    await live.remove();
  });

  test("an attempt that is stopped before its program starts fails, and may be run again", async () => {
    const { live, events, logged, reaches } = begun();
    live.stop(0);
    await reaches("failed");
    expect(events).toMatchObject([{ kind: "failed", again: true, reason: expect.stringContaining("the attempt was stopped") }]);
    expect(logged).toEqual(["attempt failed"]);
    await live.remove();
  });
});
