import { describe, expect, test } from "vitest";
import { bytesOf, type LogEvent } from "../../../lib/worker/logs/log-batches.ts";
import { type LogLimits, LogStream, logLimits } from "../../../lib/worker/logs/log-stream.ts";
import { ManualClock, turns } from "./manual-clock.ts";

/** A sink that records its batches. `put` can be made to hang or fail. */
class Kept {
  readonly batches: (readonly LogEvent[])[] = [];
  respond: () => Promise<number> = () => Promise.resolve(0);
  closed = false;
  async put(events: readonly LogEvent[]): Promise<number> {
    const refused = await this.respond();
    this.batches.push(events);
    return refused;
  }
  close(): void {
    this.closed = true;
  }
  get lines(): string[] {
    return this.batches.flat().map((event) => event.message);
  }
}

const whole = "fleet logs train-7 --whole";
function stream(over: Partial<LogLimits> = {}) {
  const [sink, clock] = [new Kept(), new ManualClock()];
  const logs = new LogStream(sink, clock, { whole, limits: { ...logLimits, ...over } });
  const push = (...lines: string[]): void => {
    for (const text of lines) logs.push({ text });
  };
  return { sink, clock, logs, push };
}
const numbers = (from: number, count: number): string[] => Array.from({ length: count }, (_, index) => String(from + index));

describe("a log stream", () => {
  test("a log stream writes the lines of a second as one batch, with their times", async () => {
    const { sink, clock, push } = stream();
    push("a");
    await clock.pass(400);
    push("");
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

  test("a log stream splits batches by lines and by bytes", async () => {
    const { sink, logs, push } = stream({ batchLines: 3, batchBytes: 100 });
    push("1", "2", "3", "4", "x".repeat(60), "y".repeat(60), "z".repeat(500));
    expect(await logs.close(1_000)).toEqual({ lost: 0 });
    expect(sink.batches.map((batch) => batch.map((event) => event.message.length))).toEqual([[1, 1, 1], [1], [60], [60], [500]]);
    expect(sink.closed).toBe(true);
  });

  test("a log stream shows the beginning and the end of 200,000 lines at once, and says how many are left out and how to read them", async () => {
    const { sink, clock, logs, push } = stream();
    for (const number of numbers(1, 200_000)) push(number);
    push("final accuracy: 0.93");
    await clock.pass(5_000);
    expect(await logs.close(10_000)).toEqual({ lost: 0 });
    expect(sink.lines[0]).toBe("1");
    expect(sink.lines.at(-1)).toBe("final accuracy: 0.93");
    const gap = sink.lines.findIndex((line) => line.startsWith("[fleetwright"));
    const [, left] =
      /^\[fleetwright: (\d+) lines \([\d.]+ MiB\) were left out here; to read the whole log: (.*)\]$/.exec(sink.lines[gap] ?? "") ?? [];
    expect(gap + Number(left) + (sink.lines.length - gap - 1)).toBe(200_001);
    expect(sink.lines[gap]).toContain(whole);
  });

  test("a log stream accepts 800 lines per second without a time limit", async () => {
    const { sink, clock, logs, push } = stream();
    for (let at = 0; at < 3_000; at += 80) {
      push(...numbers(at, 80).map((number) => `step ${number} loss 0.123456`));
      await clock.pass(100);
    }
    await logs.close(1_000);
    expect(sink.lines.filter((line) => line.startsWith("[fleetwright"))).toEqual([]);
    expect(sink.lines).toHaveLength(3_040);
  });

  test("a log stream keeps to its rate, and shows the newest lines of each part that it cuts", async () => {
    const limits = { burstBytes: 10_000, bytesPerSecond: 5_000, newestBytes: 2_000 };
    const { sink, clock, logs, push } = stream(limits);
    for (let at = 0; at < 100_000; at += 1_000) {
      push(...numbers(at, 1_000));
      await clock.pass(100);
    }
    const bytes = sink.lines.reduce((sum, line) => sum + bytesOf(line), 0);
    expect(bytes).toBeGreaterThan(40_000);
    expect(bytes).toBeLessThan(75_000);
    await logs.close(1_000);
    expect(sink.lines.at(-1)).toBe("99999");
  });

  test("a log stream shows the end of an attempt that has used up its total", async () => {
    const { sink, clock, logs, push } = stream({ totalBytes: 5_000, newestBytes: 300 });
    for (let at = 0; at < 1_000; at += 10) {
      push(...numbers(at, 10));
      await clock.pass(1_000);
    }
    const before = sink.lines.length;
    expect(sink.lines.filter((line) => line.includes("its limit of"))).toHaveLength(1);
    await logs.close(1_000);
    expect(sink.lines.slice(before)[0]).toMatch(/^\[fleetwright: \d+ lines .* left out here/);
    expect(sink.lines.at(-1)).toBe("999");
    expect(sink.lines.length - before).toBeLessThan(15);
  });

  test("a log stream bounds what waits for a slow sink, and shows the newest lines in the end", async () => {
    const { sink, logs, push } = stream({ waitingBytes: 100, newestBytes: 100, batchLines: 2 });
    let release = (_refused: number): void => {};
    const slow = new Promise<number>((resolve) => {
      release = resolve;
    });
    sink.respond = () => slow;
    push(...numbers(1, 100));
    release(0);
    await logs.close(1_000);
    expect(sink.lines.filter((line) => /^\d+$/.test(line)).length).toBeLessThan(15);
    expect(sink.lines.some((line) => line.includes("left out here"))).toBe(true);
    expect(sink.lines.at(-1)).toBe("100");
  });

  test("a log stream never writes an event that is older than the one before, even if the clock steps back", async () => {
    const { sink, clock, logs, push } = stream();
    push("a");
    await clock.pass(300);
    clock.setWall(-500);
    push("b");
    await clock.pass(100);
    push("c");
    await logs.close(1_000);
    const times = sink.batches.flat().map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted((x, y) => x - y));
    expect(sink.lines).toEqual(["a", "b", "c"]);
  });

  test("a log stream follows a clock that is set back by days, in a separate batch", async () => {
    const { sink, clock, logs, push } = stream();
    push("ahead");
    clock.setWall(-3 * 86_400_000);
    push("right");
    await logs.close(1_000);
    expect(sink.batches.map((batch) => batch.map(({ message }) => message))).toEqual([["ahead"], ["right"]]);
    expect(sink.batches[1]?.[0]?.timestamp).toBe(1_780_272_000_000 - 3 * 86_400_000);
  });

  test("a log stream counts and reports a batch that cannot be written, and goes on", async () => {
    const { sink, clock, logs, push } = stream();
    sink.respond = () => Promise.reject(new Error("throttled"));
    push("lost");
    await clock.pass(1_000);
    sink.respond = () => Promise.resolve(0);
    push("kept");
    await clock.pass(1_000);
    expect(await logs.close(1_000)).toEqual({ lost: 1 });
    expect(sink.lines).toEqual([
      `[fleetwright: 1 line was lost here, refused by CloudWatch Logs; to read the whole log: ${whole}]`,
      "kept",
    ]);
  });

  test("a log stream counts events that CloudWatch refused in an accepted batch", async () => {
    const { sink, logs, push } = stream();
    sink.respond = () => Promise.resolve(2);
    push("a", "b", "c");
    expect(await logs.close(1_000)).toEqual({ lost: 2 });
  });

  test("closing a log stream does not wait for a hanging sink longer than it may", async () => {
    const { sink, clock, logs, push } = stream();
    sink.respond = () => new Promise(() => {});
    push("never");
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
