import { describe, expect, test } from "vitest";
import { type BackOff, backOffsAfter, isResting, maxBackOffs, type Tried } from "../../../lib/model/values/back-off.ts";
import { monday } from "../../fakes/builders.ts";

const failed = (subject = "end i-1", result: Tried["result"] = "failed"): Tried => ({ subject, result, note: "EC2 did not respond" });

/** Returns how long each of the pauses is, in seconds, if something fails whenever it is tried. */
function pauses(result: Tried["result"], tries: number): readonly number[] {
  let nowMs = monday;
  let known: readonly BackOff[] = [];
  return Array.from({ length: tries }, () => {
    known = backOffsAfter(known, [failed("end i-1", result)], nowMs);
    const pauseMs = (known[0]?.retryAtMs ?? Number.NaN) - nowMs;
    nowMs += pauseMs;
    return pauseMs / 1000;
  });
}

describe("what fails again and again", () => {
  test("pauses grow from two seconds to eight minutes", () => {
    expect(pauses("failed", 8)).toEqual([2, 30, 60, 120, 240, 480, 480, 480]);
  });

  test("what was decided on a state that has changed is tried again at once, but only once", () => {
    expect(pauses("stale", 4)).toEqual([0, 30, 60, 120]);
  });

  test("the count and the time of the first failure are kept, and the newest reason", () => {
    const first = backOffsAfter([], [failed()], monday);
    const [second] = backOffsAfter(first, [{ ...failed(), note: "denied" }], monday + 2_000);
    expect(second).toEqual({ subject: "end i-1", failures: 2, sinceMs: monday, retryAtMs: monday + 32_000, note: "denied" });
  });

  test("a success ends it, and the next failure counts as the first", () => {
    const known = backOffsAfter([], [failed(), failed("end i-2")], monday);
    const after = backOffsAfter(known, [{ subject: "end i-1", result: "done", note: "done" }], monday + 2_000);
    expect(after.map(({ subject }) => subject)).toEqual(["end i-2"]);
    expect(backOffsAfter(after, [failed()], monday + 2_000).find(({ subject }) => subject === "end i-1")?.failures).toBe(1);
  });

  test("what is not tried stays as it is, until ten minutes after it was due", () => {
    const known = backOffsAfter([], [failed()], monday);
    expect(backOffsAfter(known, [], monday + 2_000 + 599_999)).toEqual(known);
    expect(backOffsAfter(known, [], monday + 2_000 + 600_000)).toEqual([]);
  });

  test("something rests until exactly the time at which it is due", () => {
    const [known] = backOffsAfter([], [failed()], monday) as [BackOff];
    expect(isResting(known, known.retryAtMs - 1)).toBe(true);
    expect(isResting(known, known.retryAtMs)).toBe(false);
  });

  test("of more than 200 subjects, those that have failed most often are kept, and a reason is cut to 300 characters", () => {
    const often = backOffsAfter([], [failed("often")], monday);
    const many = Array.from({ length: maxBackOffs + 50 }, (_, n): Tried => ({ ...failed(`end i-${n}`), note: "x".repeat(5_000) }));
    const known = backOffsAfter(often, [...many, failed("often")], monday + 2_000);
    expect(known).toHaveLength(maxBackOffs);
    expect(known[0]).toMatchObject({ subject: "often", failures: 2 });
    expect(known[1]?.note).toHaveLength(300);
  });
});
