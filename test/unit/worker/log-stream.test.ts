import { describe, expect, test } from "vitest";
import { type LogEvent, type LogLimits, LogStream, logLimits } from "../../../lib/worker/log-stream.ts";
import { ManualClock, turns } from "./manual-clock.ts";

/** A sink that keeps its batches; `put` can be made to hang or fail. */
class Kept {
  readonly batches: (readonly LogEvent[])[] = [];
  answer: () => Promise<void> = () => Promise.resolve();
  closed = false;
  async put(events: readonly LogEvent[]): Promise<void> {
    await this.answer();
    this.batches.push(events);
  }
  close(): void {
    this.closed = true;
  }
  get lines(): string[] {
    return this.batches.flat().map((event) => event.message);
  }
}

function stream(over: Partial<LogLimits> = {}): { sink: Kept; clock: ManualClock; logs: LogStream } {
  const [sink, clock] = [new Kept(), new ManualClock()];
  return { sink, clock, logs: new LogStream(sink, clock, { ...logLimits, ...over }) };
}

describe("a log stream", () => {
  test("writes what came within a second as one batch, with its time", async () => {
    const { sink, clock, logs } = stream();
    logs.push("a");
    await clock.pass(400);
    logs.push("");
    await clock.pass(599);
    expect(sink.batches).toEqual([]);
    await clock.pass(1);
    expect(sink.batches).toEqual([
      [
        { timestamp: 1_780_272_000_000, message: "a" },
        { timestamp: 1_780_272_000_400, message: " " },
      ],
    ]);
  });

  test("splits batches by lines and by bytes", async () => {
    const { sink, logs } = stream({ batchLines: 3, batchBytes: 100 });
    for (const line of ["1", "2", "3", "4", "x".repeat(60), "y".repeat(60), "z".repeat(500)]) logs.push(line);
    expect(await logs.close(1_000)).toEqual({ lost: 0 });
    expect(sink.batches.map((batch) => batch.map((event) => event.message.length))).toEqual([[1, 1, 1], [1], [60], [60], [500]]);
    expect(sink.closed).toBe(true);
  });

  test("drops what is beyond the rate and says how much", async () => {
    const { sink, clock, logs } = stream({ linesPerSecond: 2 });
    for (let line = 1; line <= 5; line++) logs.push(`${line}`);
    await clock.pass(1_000);
    logs.push("6");
    await logs.close(1_000);
    expect(sink.lines).toEqual(["1", "2", "[fleetwright: 3 lines were left out: more than 2 a second]", "6"]);
  });

  test("bounds what waits for a slow sink", async () => {
    const { sink, logs } = stream({ waitingLines: 4, batchLines: 2 });
    let release = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    sink.answer = () => slow;
    for (let line = 1; line <= 10; line++) logs.push(`${line}`);
    release();
    await logs.close(1_000);
    expect(sink.lines.filter((line) => /^\d+$/.test(line)).length).toBeLessThan(10);
    expect(sink.lines.at(-1)).toMatch(/lines were left out/);
  });

  test("counts a batch that cannot be written, goes on, and says so", async () => {
    const { sink, clock, logs } = stream();
    sink.answer = () => Promise.reject(new Error("throttled"));
    logs.push("lost");
    await clock.pass(1_000);
    sink.answer = () => Promise.resolve();
    logs.push("kept");
    await clock.pass(1_000);
    expect(await logs.close(1_000)).toEqual({ lost: 1 });
    expect(sink.lines).toEqual(["kept", "[fleetwright: 1 lines were lost: the log could not be written]"]);
  });

  test("does not wait for a sink that hangs longer than it may", async () => {
    const { sink, clock, logs } = stream();
    sink.answer = () => new Promise(() => {});
    logs.push("never");
    let closed: unknown;
    const closing = logs.close(5_000).then((result) => {
      closed = result;
    });
    await clock.pass(4_999);
    expect(closed).toBeUndefined();
    await clock.pass(1);
    await closing;
    await turns();
    expect(closed).toEqual({ lost: 1 });
  });
});
