import { describe, expect, test } from "vitest";
import { longestPauses, pauseSeconds, receivesOf, type WorkQueueKind } from "../../../lib/model/queue/message-retries.ts";

const kinds = Object.keys(longestPauses) as WorkQueueKind[];
const pausesOf = (kind: WorkQueueKind, chance: number): readonly number[] =>
  Array.from({ length: receivesOf(kind) - 1 }, (_, n) => pauseSeconds(kind, n + 1, chance));

describe("a message that could not be handled", () => {
  test("pauses grow from seconds to the longest one of its queue", () => {
    expect(pausesOf("seal", 0).slice(0, 6)).toEqual([5, 30, 180, 600, 600, 600]);
    expect(pausesOf("lane", 0).slice(0, 4)).toEqual([5, 30, 50, 50]);
  });

  test("messages that failed together are spread over a tenth of their pause", () => {
    expect([pauseSeconds("seal", 9, 0), pauseSeconds("seal", 9, 0.5), pauseSeconds("seal", 9, 1)]).toEqual([600, 570, 540]);
  });

  test("a count of deliveries that SQS does not know yet is taken for the first", () => {
    expect(pauseSeconds("seal", 0, 0)).toBe(5);
  });

  test.each(kinds)(
    "a message of queue %s is given up after more than 12 hours of failures, and in fewer deliveries than SQS allows",
    (kind) => {
      const lasts = pausesOf(kind, 1).reduce((sum, pause) => sum + pause, 0);
      expect(lasts).toBeGreaterThanOrEqual(12 * 3_600);
      expect(receivesOf(kind)).toBeLessThanOrEqual(1_000);
    },
  );
});
