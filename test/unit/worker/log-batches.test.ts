import { describe, expect, test } from "vitest";
import { LiveLines } from "../../../lib/worker/logs/live-lines.ts";
import { batchLimits, bytesOf, LogBatches, type LogEvent } from "../../../lib/worker/logs/log-batches.ts";
import { recordLimits } from "../../../lib/worker/logs/log-record.ts";
import { Newest } from "../../../lib/worker/logs/newest.ts";
import { LineSplitter, Tail } from "../../../lib/worker/program/lines.ts";
import { ManualClock } from "./manual-clock.ts";

const hourMs = 3_600_000;

/** Batches into a sink whose answers a test decides. */
function stage(over: Partial<typeof batchLimits> = {}, put: (events: readonly LogEvent[]) => Promise<number> = async () => 0) {
  const clock = new ManualClock(1_000);
  const batches: (readonly LogEvent[])[] = [];
  const closed: string[] = [];
  const sink = {
    put: (events: readonly LogEvent[]) => {
      batches.push(events);
      return put(events);
    },
    close: () => void closed.push("closed"),
  };
  const log = new LogBatches(sink, clock, { batchLines: 3, batchBytes: 1_000, batchMs: 50, ...over });
  const texts = () => batches.map((batch) => batch.map(({ message }) => message));
  return { clock, log, batches, closed, texts };
}

describe("batches of log events", () => {
  test("the limits are those of CloudWatch Logs, and a line waits for at most a second", () => {
    expect(batchLimits).toEqual({ batchLines: 10_000, batchBytes: 1_000_000, batchMs: 1_000 });
    expect(bytesOf("é")).toBe(28);
  });

  test("events are written together after a while, or at once when there are enough of them", async () => {
    const { clock, log, texts } = stage();
    log.add("a");
    await clock.pass(49);
    expect(texts()).toEqual([]);
    await clock.pass(1);
    expect(texts()).toEqual([["a"]]);
    for (const text of ["b", "c"]) log.add(text);
    expect(texts()).toHaveLength(1);
    log.add("d");
    await clock.pass(0);
    expect(texts()).toEqual([["a"], ["b", "c", "d"]]);
    expect(log.waitingBytes).toBe(0);
  });

  test("events are written at once when they have as many bytes as a batch", async () => {
    const { clock, log, texts } = stage({ batchBytes: 60 });
    log.add("abc");
    expect(log.waitingBytes).toBe(29);
    log.add("abcd");
    expect(texts()).toEqual([]);
    log.add("x");
    await clock.pass(0);
    // 29 + 30 bytes fit into 60, and the third event does not.
    expect(texts()).toEqual([["abc", "abcd"], ["x"]]);
  });

  test("an event that is larger than a batch is written alone", async () => {
    const { clock, log, texts } = stage({ batchBytes: 30 });
    log.add("12345");
    log.add("x");
    log.add("y");
    await clock.pass(50);
    expect(texts()).toEqual([["12345"], ["x"], ["y"]]);
  });

  test("a clock that goes back by up to an hour does not move events back, and one that goes back further starts another batch", async () => {
    const { clock, log, batches } = stage({ batchLines: 9 });
    log.add("first");
    clock.setWall(-hourMs);
    log.add("an hour");
    clock.setWall(-1);
    log.add("more");
    await clock.pass(50);
    expect(batches.map((batch) => batch.map(({ timestamp }) => timestamp))).toEqual([[1_000, 1_000], [1_000 - hourMs - 1]]);
  });

  test("a batch spans at most 23 hours", async () => {
    const { clock, log, batches } = stage({ batchLines: 9 });
    log.add("first");
    clock.setWall(23 * hourMs);
    log.add("23 hours");
    clock.setWall(1);
    log.add("later");
    await clock.pass(50);
    expect(batches.map((batch) => batch.length)).toEqual([2, 1]);
  });

  test("events of a batch that fails, and those that are refused, count as lost, and the next batch is written", async () => {
    const outcomes = [Promise.reject(new Error("throttled")), Promise.resolve(2)];
    outcomes[0]?.catch(() => undefined);
    const { clock, log, texts } = stage({ batchLines: 1 }, () => outcomes.shift() ?? Promise.resolve(0));
    for (const text of ["a", "b", "c"]) log.add(text);
    await clock.pass(1);
    expect(texts()).toEqual([["a"], ["b"], ["c"]]);
    expect(log.lost).toBe(3);
    expect(await log.close(10)).toBe(3);
  });

  test("closing writes what waits, and closes the sink after it has ended", async () => {
    const { clock, log, texts, closed } = stage();
    log.add("a");
    const closing = log.close(10);
    await clock.pass(0);
    expect([texts(), await closing, closed]).toEqual([[["a"]], 0, ["closed"]]);
    await clock.pass(hourMs);
    expect(texts()).toHaveLength(1);
  });

  test("closing does not wait longer than it may, and counts what was under way or waits as lost", async () => {
    const { clock, log, closed } = stage({ batchLines: 2 }, () => new Promise(() => undefined));
    for (const text of ["a", "b", "c"]) log.add(text);
    const closing = log.close(10);
    await clock.pass(9);
    expect(closed).toEqual([]);
    await clock.pass(1);
    expect([await closing, closed]).toEqual([3, ["closed"]]);
  });
});

describe("long lines", () => {
  const longest = 32 * 1024;
  const shown = (...chunks: readonly string[]) => {
    const pieces: { readonly text: string }[] = [];
    const lines = new LiveLines(new ManualClock(), (piece) => pieces.push(piece));
    for (const chunk of chunks) lines.push(Buffer.from(chunk));
    lines.end();
    return pieces;
  };

  test("a live line of 32 Ki characters is one piece, and one more begins another piece", () => {
    const whole = "x".repeat(longest);
    expect(shown(`${whole}\n`)).toEqual([{ text: whole }]);
    expect(shown(`${whole}y\n`)).toEqual([
      { text: whole, unfinished: true },
      { text: "y", continues: true },
    ]);
  });

  test("a live line is not cut in the middle of a character", () => {
    const [first, second] = shown(`${"x".repeat(longest - 1)}😀y`);
    expect([first?.text.length, second?.text]).toEqual([longest - 1, "😀y"]);
    const [whole, rest] = shown(`${"x".repeat(longest - 2)}😀y`);
    expect([whole?.text.length, rest?.text]).toEqual([longest, "y"]);
  });

  test("a plain line of 32 Ki characters is whole, and the rest of a longer one is dropped", () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    const whole = "x".repeat(longest);
    splitter.push(Buffer.from(`${whole}\n${whole}y\nnext\n`));
    splitter.push(Buffer.from(`${whole}yy`));
    splitter.push(Buffer.from("more\nlast\r"));
    splitter.end();
    expect(lines).toEqual([whole, `${whole} [cut]`, "next", `${whole} [cut]`, "last"]);
  });

  test("a tail of exactly the length is whole, and a longer one is cut to it with a mark", () => {
    const tail = new Tail(2);
    for (const line of ["gone", "abc", "de"]) tail.push(line);
    expect([tail.text(6), tail.text(5), tail.text(2)]).toEqual(["abc\nde", "…c\nde", "…e"]);
  });
});

test("the newest items are kept up to a number of bytes, at least one of them, and the others are counted", () => {
  const newest = new Newest<string>(10);
  expect([newest.isEmpty, newest.bytes]).toEqual([true, 0]);
  newest.push("a", 4);
  newest.push("b", 6);
  expect([newest.bytes, newest.gone]).toEqual([10, { items: 0, bytes: 0 }]);
  newest.push("c", 1);
  expect([newest.isEmpty, newest.bytes, newest.gone]).toEqual([false, 7, { items: 1, bytes: 4 }]);
  newest.push("huge", 99);
  expect([newest.bytes, newest.gone]).toEqual([99, { items: 3, bytes: 11 }]);
  expect(newest.takeAll()).toEqual(["huge"]);
  expect([newest.isEmpty, newest.bytes, newest.gone]).toEqual([true, 0, { items: 0, bytes: 0 }]);
  for (let n = 0; n < 5_000; n += 1) newest.push(String(n), 5);
  expect(newest.gone).toEqual({ items: 4_998, bytes: 24_990 });
  expect(newest.takeAll()).toEqual(["4998", "4999"]);
});

test("a log's record is cut after 40 s, 8 MiB or 64 MiB of text, and keeps the first 5 GiB and the last 64 MiB", () => {
  const MiB = 1024 ** 2;
  expect(recordLimits).toEqual({
    segmentMs: 40_000,
    segmentFileBytes: 8 * MiB,
    segmentBytes: 64 * MiB,
    wholeBytes: 5 * 1024 * MiB,
    endBytes: 64 * MiB,
  });
});
