import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LogPiece, pieceOf } from "../../../events/artifacts/log-line.ts";
import type { ByteLimits } from "../../../lib/model/byte-allowance.ts";
import { AttemptLog } from "../../../lib/worker/logs/attempt-log.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { ManualClock } from "./manual-clock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-attempt-log-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function open(over: { rank?: number; s3?: () => Promise<object>; liveLimits?: ByteLimits } = {}) {
  const clock = new ManualClock();
  const puts: PutObjectCommand["input"][] = [];
  const pieces: LogPiece[] = [];
  const logged: string[] = [];
  const log = new AttemptLog({
    attempt: { team: "vision", job: "train-1", attempt: 2 },
    rank: over.rank ?? 0,
    folder: join(folder, "log"),
    s3: {
      send: async (command: unknown) => {
        await over.s3?.();
        if (command instanceof PutObjectCommand) puts.push(command.input);
        return {};
      },
    },
    upload: { bucket: "incoming", kmsKey: "alias/team-vision" },
    sink: {
      put: async (events) => {
        pieces.push(...events.map(({ message }) => pieceOf(message)));
        return 0;
      },
      close: () => undefined,
    },
    clock,
    random: () => 0.5,
    log: workerLogInto(logged),
    liveLimits: over.liveLimits,
  });
  return { log, clock, puts, pieces, logged };
}

describe("an attempt's log", () => {
  test("an attempt's whole log is put into the incoming bucket under the team's key, and its lines into the stream", async () => {
    const { log, puts, pieces } = open({ rank: 3 });
    void log.output("stdout", Buffer.from("out\n"));
    void log.output("stderr", Buffer.from("err\r\nno end"));
    await log.close(1_000);
    expect(puts).toMatchObject([
      {
        Bucket: "incoming",
        Key: "vision/train-1/2/log/3/000000.gz",
        ServerSideEncryption: "aws:kms",
        SSEKMSKeyId: "alias/team-vision",
        Metadata: { bytes: "15", offset: "0", last: "true", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ]);
    expect(gunzipSync(puts[0]?.Body as Buffer).toString()).toBe("out\nerr\r\nno end");
    expect(pieces).toEqual([{ text: "out" }, { text: "err" }, { text: "no end" }]);
  });

  test("an attempt's stream contains no more than its order allows, and its whole log has everything", async () => {
    const { log, puts, pieces } = open({ liveLimits: { burstBytes: 60, bytesPerSecond: 1, totalBytes: 60 } });
    void log.output("stdout", Buffer.from("one\ntwo\nthree\nfour\n"));
    await log.close(1_000);
    expect(pieces.map(({ text }) => text)).toEqual([
      "one",
      "two",
      expect.stringMatching(/reached its limit of .* per attempt.*fleet logs train-1 --whole --attempt 2 --team vision/),
      "three",
      "four",
    ]);
    expect(gunzipSync(puts[0]?.Body as Buffer).toString()).toBe("one\ntwo\nthree\nfour\n");
  });

  test("an unfinished line is continued in the stream only if nothing was written in between", async () => {
    const { log, clock, pieces } = open();
    void log.output("stdout", Buffer.from("Downloading"));
    await clock.pass(1_000);
    void log.output("stderr", Buffer.from("a warning\n"));
    void log.output("stdout", Buffer.from(" more"));
    await clock.pass(1_000);
    void log.output("stdout", Buffer.from(" done\n"));
    await clock.pass(1_000);
    expect(pieces).toEqual([
      { text: "Downloading", unfinished: true },
      { text: "a warning" },
      { text: " more", unfinished: true },
      { text: " done", continues: true },
    ]);
  });

  test("a log that could not be uploaded is reported in the stream and in the worker's log", async () => {
    const { log, clock, pieces, logged } = open({ s3: () => Promise.reject(new Error("no route to S3")) });
    void log.output("stdout", Buffer.from("text\n"));
    let done = false;
    const closed = log.close(5_000).then(() => {
      done = true;
    });
    await expect
      .poll(async () => {
        await clock.pass(1_000);
        return done;
      })
      .toBe(true);
    await closed;
    expect(pieces.at(-1)?.text).toBe("[fleetwright: 5 bytes of the kept log were lost because they could not be uploaded]");
    expect(logged).toContain("log bytes lost");
  });
});
