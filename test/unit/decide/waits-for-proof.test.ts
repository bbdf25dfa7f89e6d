import { describe, expect, test } from "vitest";
import { holdersOf, reasonOf, waitsForProof } from "../../../lib/decide/health/waits-for-proof.ts";
import type { Node } from "../../../lib/model/node.ts";
import { aNode, anAssignment, monday } from "../../fakes/builders.ts";

const minute = 60_000;
const now = monday + 600 * minute;
const working = (over: Partial<Node>): Node =>
  aNode({ lastSeenMs: now - 10_000, assignments: [anAssignment({ phase: "running" })], ...over });

describe("work whose node is in doubt", () => {
  test.each<[string, Partial<Node>, string, number]>([
    ["is silent", { lastSeenMs: now - 3 * minute }, "its worker has been silent", 3],
    ["drains and is silent", { state: "draining", lastSeenMs: now - 4 * minute }, "its worker has been silent", 4],
    ["is ending", { state: "terminating", stateSinceMs: now - 2 * minute }, "it has been ending", 2],
    ["is not known to EC2", { lastSeenMs: now - 3 * minute, missingSinceMs: now - minute }, "EC2 has not known it", 1],
  ])("a node with work that %s is in doubt since then, and says what its work waits for", (_what, over, what, minutes) => {
    const node = working(over);
    const doubt = waitsForProof(node, now);
    expect(doubt?.sinceMs).toBe(now - minutes * minute);
    expect(doubt?.why).toMatch(new RegExp(`^waits for EC2's word on ${node.id}: ${what} since 2026-`));
  });

  test.each<[string, Partial<Node>]>([
    ["calls", {}],
    ["is gone", { state: "gone" }],
    ["is ending but holds nothing", { state: "terminating", assignments: [] }],
    [
      "is silent but never got the order",
      { lastSeenMs: now - 3 * minute, assignments: [anAssignment({ phase: "placed", orderedAtMs: undefined })] },
    ],
    ["was not known to EC2 before its worker called again", { missingSinceMs: now - minute }],
    ["boots", { state: "launching", lastSeenMs: undefined }],
  ])("a node that %s is in no doubt", (_what, over) => {
    expect(waitsForProof(working(over), now)).toBeUndefined();
  });
});

describe("what a job says about its state", () => {
  const reason = "EC2 has none of its instance types";
  const { team, job } = anAssignment();
  const held = { team, job };

  test("a job on nodes names the first of them that is in doubt", () => {
    const holders = [working({ id: "i-0a" }), working({ id: "i-0b", lastSeenMs: now - 3 * minute })];
    expect(reasonOf(held, holders, now)).toMatch(/^waits for EC2's word on i-0b: its worker has been silent since 2026-/);
  });

  test("a job whose node has ended says that what the node left is taken in first", () => {
    expect(reasonOf(held, [working({ id: "i-0a", state: "gone" })], now)).toBe(
      "i-0a has ended; what it may have left on S3 is taken in first, and within 15 minutes its work starts elsewhere",
    );
  });

  test("a job on nodes without a doubt says what its record says", () => {
    expect(reasonOf({ ...held, reason }, [working({})], now)).toBe(reason);
    expect(reasonOf(held, [], now)).toBeUndefined();
  });

  test("a doubt about a node that does not hold the job is not the job's", () => {
    expect(reasonOf({ team, job: "other", reason }, [working({ lastSeenMs: now - 3 * minute })], now)).toBe(reason);
  });

  test("only a job that is placed, runs or is sealed has nodes that hold it", () => {
    expect(holdersOf({ state: "sealing", node: "i-0a", gang: undefined })).toEqual(["i-0a"]);
    expect(holdersOf({ state: "running", node: "i-0a", gang: undefined })).toEqual(["i-0a"]);
    expect(holdersOf({ state: "placed", node: "i-0a", gang: ["i-0a", "i-0b"] })).toEqual(["i-0a", "i-0b"]);
    expect(holdersOf({ state: "failed", node: "i-0a", gang: undefined })).toEqual([]);
  });
});
