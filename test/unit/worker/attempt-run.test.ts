import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Manifest } from "../../../events/artifacts/upload.ts";
import { archiveLimits } from "../../../lib/model/files/archive-entry.ts";
import { artifactLimits } from "../../../lib/worker/artifacts/artifact-limits.ts";
import type { AttemptEvent } from "../../../lib/worker/attempt/attempt.ts";
import { attemptsOn, type LiveAttempt } from "../../../lib/worker/attempt/attempt-run.ts";
import type { NodeData } from "../../../lib/worker/data/datasets.ts";
import { systemClock } from "../../../lib/worker/runtime/clock.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { runOrder } from "./http-fakes.ts";
import { s3Error } from "./memory-s3.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-attempt-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An attempt on this machine, whose S3 is in memory. `put` may delay or refuse an upload. */
function begun(
  over: Parameters<typeof runOrder>[0] = {},
  put: (key: string) => Promise<void> = async () => undefined,
  more: Parameters<typeof runOrder>[1] = {},
) {
  const events: AttemptEvent[] = [];
  const done: string[] = [];
  const lists: Manifest[] = [];
  const logged: string[] = [];
  const s3 = {
    config: {
      requestChecksumCalculation: async () => "WHEN_REQUIRED",
      endpoint: async () => ({ protocol: "https:", hostname: "s3", path: "/" }),
      forcePathStyle: true,
    },
    send: async (command: unknown) => {
      if (!(command instanceof PutObjectCommand)) throw new Error("only puts here");
      const key = command.input.Key ?? "";
      await put(key);
      done.push(key);
      if (key.endsWith("manifest.json")) lists.push(Manifest.parse(JSON.parse(String(command.input.Body))));
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
    // Pauses take a thousandth of their time.
    clock: { ...systemClock, after: (ms, then) => systemClock.after(ms / 1_000, then) },
    random: () => 0,
    s3: () => s3 as unknown as S3Client,
    outboxes: { s3: s3 as unknown as S3Client, process: "process-1" },
    logSink: () => ({ put: async () => 0, close: () => void done.push("stream closed") }),
  });
  const order = runOrder({ command: ["sh", "-c", "echo hello"], ...over }, more);
  const live: LiveAttempt = start(order, [], (event) => void events.push(event));
  const reaches = (kind: AttemptEvent["kind"]) => expect.poll(() => events.map((event) => event.kind), { timeout: 10_000 }).toContain(kind);
  return { live, events, done, lists, logged, reaches, root: join(folder, "attempts", "vision", "train-1", "1") };
}

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe("the upload of an attempt", () => {
  const program = (exitCode: number) => ({
    command: ["sh", "-c", `echo hello; echo weights > model.pt; exit ${exitCode}`],
    artifacts: ["model.pt"],
  });
  const refused = (): never => {
    throw s3Error("AccessDenied", 403);
  };
  const unreachable = (): never => {
    throw s3Error("SlowDown", 503);
  };

  test("an attempt uploads its log, then its files, and their list last", async () => {
    const { live, done, lists, reaches } = begun(program(0));
    await reaches("exited");
    live.upload();
    await reaches("uploaded");
    expect(done[0]).toBe("vision/train-1/1/log/0/000000.gz");
    expect(done.filter((key) => !key.includes("/log/"))).toEqual(done.slice(-2));
    expect(done.slice(-2)).toEqual(["vision/train-1/1/files/model.pt", "vision/train-1/1/manifest.json"]);
    expect(lists).toMatchObject([{ team: "vision", job: "train-1", attempt: 1, artifacts: [{ path: "model.pt", bytes: 8 }] }]);
    await live.remove();
  });

  test("a gang's later member uploads its log and no files", async () => {
    const { live, done, reaches } = begun(program(0), undefined, {
      gang: { rank: 1, size: 2, master: { address: "10.0.0.1", port: 29_500 } },
    });
    await reaches("exited");
    live.upload();
    await reaches("uploaded");
    expect(done[0]).toBe("vision/train-1/1/log/1/000000.gz");
    expect(done.filter((key) => !key.includes("/log/"))).toEqual([]);
    await live.remove();
  });

  test.each([
    ["of a successful run fails the attempt", 0, "failed"],
    ["of an unsuccessful run does not change its end", 3, "uploaded"],
  ] as const)("a file that S3 refuses four times %s", async (_what, exitCode, kind) => {
    let requests = 0;
    const { live, events, lists, reaches } = begun(program(exitCode), async (key) => {
      if (!key.endsWith("model.pt")) return;
      requests += 1;
      refused();
    });
    await reaches("exited");
    live.upload();
    await reaches(kind);
    expect(requests).toBe(4);
    expect(lists).toMatchObject([{ artifacts: [], leftOut: [{ path: "model.pt" }], incomplete: true }]);
    if (kind === "failed") expect(events.at(-1)).toMatchObject({ kind, leaves: true });
    await live.remove();
  });

  test("a file is sent up to sixty times while S3 cannot be reached", async () => {
    let requests = 0;
    const { live, reaches } = begun(program(3), async (key) => {
      if (!key.endsWith("model.pt")) return;
      requests += 1;
      unreachable();
    });
    await reaches("exited");
    live.upload();
    await reaches("uploaded");
    expect(requests).toBe(60);
    await live.remove();
  });

  test("an upload that is stopped lists what it has sent as incomplete", async () => {
    const begunUpload = Promise.withResolvers<void>();
    const { live, lists, reaches } = begun(program(3), async (key) => {
      if (!key.endsWith("model.pt")) return;
      begunUpload.resolve();
      unreachable();
    });
    await reaches("exited");
    live.upload();
    await begunUpload.promise;
    live.stop(0);
    await reaches("uploaded");
    expect(lists).toMatchObject([
      { artifacts: [], leftOut: [{ path: "model.pt", because: "there was no time left to upload it" }], incomplete: true },
    ]);
    await live.remove();
  });
});

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
