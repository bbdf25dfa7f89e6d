import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SegmentFacts } from "../../../events/artifacts/log-segment.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { LogRecord, type RecordLimits, recordLimits } from "../../../lib/worker/logs/log-record.ts";
import { LogUploads, type SegmentToPut } from "../../../lib/worker/logs/log-uploads.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { ManualClock } from "./manual-clock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-record-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

type Kept = { readonly number: number; readonly text: string; readonly facts: SegmentFacts };

function record(over: Partial<RecordLimits> & { spoolBytes?: number } = {}) {
  const clock = new ManualClock();
  const kept: Kept[] = [];
  const messages: string[] = [];
  let trouble: (segment: SegmentToPut) => void = () => undefined;
  const put = async (segment: SegmentToPut): Promise<void> => {
    trouble(segment);
    const { number, gzip, facts } = segment;
    expect(createHash("sha256").update(gzip).digest("hex")).toBe(facts.sha256);
    kept.push({ number, text: gunzipSync(gzip).toString("latin1"), facts });
  };
  const { spoolBytes, ...limits } = over;
  const uploads = new LogUploads({
    put,
    clock,
    random: () => 0.5,
    log: workerLogInto(messages),
    attempt: "vision/train-1#1",
    ...(spoolBytes !== undefined && { spoolBytes }),
  });
  const log = new LogRecord({ folder: join(folder, "log"), uploads, clock, limits: { ...recordLimits, ...limits } });
  const settled = async (count: number): Promise<void> => {
    await expect.poll(() => kept.length, { timeout: 5_000, interval: 5 }).toBe(count);
  };
  return {
    clock,
    kept,
    messages,
    log,
    uploads,
    settled,
    fail: (how: typeof trouble) => {
      trouble = how;
    },
    text: () => kept.toSorted((a, b) => a.number - b.number).map(({ text }) => text),
  };
}
const unreachable = (): never => {
  throw new FleetError("upload", "S3 does not respond", { retry: true });
};

describe("the record of a log", () => {
  test("the log record contains every byte in order, and no other bytes", async () => {
    const { log, text, kept } = record();
    const bytes = Buffer.from([0, 255, 13, 10, 27, 91, 195, 10, 13]);
    void log.write(bytes.subarray(0, 4));
    void log.write(bytes.subarray(4));
    await log.finish(1_000);
    expect(text().join("")).toBe(bytes.toString("latin1"));
    expect(kept.map(({ facts }) => facts)).toMatchObject([{ bytes: 9, offset: 0, last: true }]);
    expect(await readdir(join(folder, "log"))).toEqual([]);
  });

  test("the log record is uploaded while the program runs, 40 s after a segment's first byte", async () => {
    const { log, clock, kept, settled } = record();
    void log.write(Buffer.from("one\n"));
    await clock.pass(39_999);
    void log.write(Buffer.from("two\n"));
    expect(kept).toEqual([]);
    await clock.pass(1);
    await settled(1);
    void log.write(Buffer.from("three\n"));
    await log.finish(1_000);
    expect(kept).toMatchObject([
      { number: 0, text: "one\ntwo\n", facts: { offset: 0, bytes: 8, last: false } },
      { number: 1, text: "three\n", facts: { offset: 8, bytes: 6, last: true } },
    ]);
  });

  test("the log record marks its last segment even if that is empty", async () => {
    const { log, clock, kept, settled } = record();
    void log.write(Buffer.from("all\n"));
    await clock.pass(40_000);
    await settled(1);
    await log.finish(1_000);
    await log.finish(1_000);
    expect(kept).toMatchObject([{ text: "all\n" }, { number: 1, text: "", facts: { offset: 4, bytes: 0, last: true } }]);
  });

  test("the log record of a program that wrote nothing is empty", async () => {
    const { log, kept } = record();
    await log.finish(1_000);
    expect(kept).toEqual([]);
  });

  test("the log record is cut into segments of a bounded size", async () => {
    const { log, kept, text } = record({ segmentBytes: 1_000 });
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\n`);
    for (const line of lines) void log.write(Buffer.from(line));
    await log.finish(1_000);
    expect(text().join("")).toBe(lines.join(""));
    expect(kept.length).toBeGreaterThan(4);
    expect(Math.max(...kept.map(({ facts }) => facts.bytes))).toBeLessThan(1_020);
  });

  test("the log record holds a program back while too much waits for gzip, and then goes on", async () => {
    const { log, kept } = record();
    const chunk = Buffer.alloc(64 * 1024, "x");
    let waited = 0;
    for (let at = 0; at < 200; at++) {
      const room = log.write(chunk);
      if (room) waited++;
      await room;
    }
    await log.finish(1_000);
    expect(waited).toBeGreaterThan(0);
    expect(kept.reduce((sum, { text }) => sum + text.length, 0)).toBe(200 * 64 * 1024);
  });

  test("the record of a long log keeps its beginning and end, and says between them how much is missing", async () => {
    const { log, kept, text } = record({ wholeBytes: 10_000, endBytes: 2_000, segmentBytes: 1_000 });
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${String(index).padStart(6, "0")}\n`);
    for (const line of lines) void log.write(Buffer.from(line));
    await log.finish(1_000);
    const all = text().join("");
    const [, begin = "", gone, end = ""] = /^([\s\S]*)\n\[fleetwright: (\d+) bytes were left out here: .*\]\n([\s\S]*)$/.exec(all) ?? [];
    const whole = lines.join("");
    expect(whole.startsWith(begin)).toBe(true);
    expect(whole.endsWith(end)).toBe(true);
    expect(begin.length).toBeGreaterThanOrEqual(10_000);
    expect(end.length).toBeGreaterThanOrEqual(2_000);
    expect(end.length).toBeLessThan(4_000);
    expect(begin.length + Number(gone) + end.length).toBe(whole.length);
    expect(kept.map(({ number }) => number)).toEqual(kept.map((_, index) => index));
    expect(await readdir(join(folder, "log"))).toEqual([]);
  });

  test("segments wait on the disk while S3 does not respond, and the record is complete in the end", async () => {
    const { log, clock, fail, kept, text, messages } = record();
    fail(unreachable);
    void log.write(Buffer.from("first\n"));
    await clock.pass(40_000);
    await expect
      .poll(async () => {
        await clock.pass(5_000);
        return messages.length;
      })
      .toBeGreaterThan(1);
    void log.write(Buffer.from("second\n"));
    expect(kept).toEqual([]);
    fail(() => undefined);
    await log.finish(30_000);
    expect(text()).toEqual(["first\n", "second\n"]);
  });

  test("the oldest segment is given up if too much waits, which leaves a gap in the numbers", async () => {
    const { log, clock, fail, kept, uploads, messages } = record({ segmentBytes: 1_000, spoolBytes: 200 });
    fail(unreachable);
    for (let at = 0; at < 50; at++) void log.write(Buffer.alloc(1_000, `${at % 10}`));
    await expect.poll(() => uploads.missingBytes).toBe(50_000);
    fail(() => undefined);
    let done = false;
    const finished = log.finish(600_000).then(() => {
      done = true;
    });
    await expect
      .poll(async () => {
        await clock.pass(1_000);
        return done;
      })
      .toBe(true);
    await finished;
    const numbers = kept.map(({ number }) => number);
    expect(numbers[0]).toBe(0);
    expect(numbers.at(-1)).toBe(50);
    expect(numbers.length).toBeLessThan(20);
    expect(uploads.missingBytes).toBe((51 - numbers.length) * 1_000);
    expect(messages).toContain("log segment lost");
  });

  test("finish does not wait for S3 longer than it may, and tries again when it is called again", async () => {
    const { log, clock, fail, kept, uploads } = record();
    fail(unreachable);
    void log.write(Buffer.from("text\n"));
    let done = false;
    const finished = log.finish(10_000).then(() => {
      done = true;
    });
    await expect
      .poll(async () => {
        await clock.pass(1_000);
        return done;
      })
      .toBe(true);
    await finished;
    expect(uploads.missingBytes).toBe(5);
    fail(() => undefined);
    await log.finish(10_000);
    expect(kept).toMatchObject([{ text: "text\n", facts: { last: true } }]);
    expect(uploads.missingBytes).toBe(0);
  });

  test("the log record goes on after the disk failed for a while, and says how much is missing", async () => {
    await writeFile(join(folder, "log"), "a file where the folder should be");
    const { log, clock, text } = record();
    void log.write(Buffer.from("lost\n"));
    await clock.pass(40_000);
    await rm(join(folder, "log"));
    await expect
      .poll(async () => {
        void log.write(Buffer.from("."));
        await clock.pass(40_000);
        return text().join("");
      })
      .toMatch(/\[fleetwright: \d+ bytes were lost here because they could not be written to the node's disk\]\n\.+$/);
  });

  test("Fleetwright's own messages are separate lines of the record", async () => {
    const { log, text } = record();
    log.note("[fleetwright: begins]");
    void log.write(Buffer.from("no end"));
    log.note("[fleetwright: ends]");
    await log.finish(1_000);
    expect(text().join("")).toBe("[fleetwright: begins]\nno end\n[fleetwright: ends]\n");
  });
});
