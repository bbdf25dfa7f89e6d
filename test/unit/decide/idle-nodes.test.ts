import { describe, expect, test } from "vitest";
import { idleNodes } from "../../../lib/decide/scaling/idle-nodes.ts";
import type { Node } from "../../../lib/model/node.ts";
import { aNode, anAssignment, aPool, monday } from "../../fakes/builders.ts";

const pool = aPool({ idleSeconds: 120 });
const due = monday + 220_000;
/** Returns a node that has been empty for a hundred seconds and has called all the time. */
const idle = aNode({ lastBusyMs: monday + 100_000, lastSeenMs: due });
const seenUntil = (node: Node, nowMs: number): Node => ({ ...node, lastSeenMs: nowMs });

describe("an idle node", () => {
  test("an idle node is given back when its time is up", () => {
    expect(idleNodes([idle], pool, due)).toEqual({
      steps: [{ kind: "retire", node: idle.id, because: "idle for 120 s" }],
      wakeAtMs: undefined,
    });
  });

  test("an idle node is kept until its time is up, and its pool wakes then", () => {
    expect(idleNodes([idle], pool, due - 1)).toEqual({ steps: [], wakeAtMs: due });
  });

  test("a node counts as idle only since it was ready, however long it booted", () => {
    const slow = aNode({ lastBusyMs: monday, readyAtMs: monday + 500_000, lastSeenMs: monday + 619_999 });
    expect(idleNodes([slow], pool, monday + 619_999)).toEqual({ steps: [], wakeAtMs: monday + 620_000 });
  });

  test.each([
    ["holds something", aNode({ assignments: [anAssignment({ phase: "running" })] })],
    ["still uploads something", aNode({ assignments: [anAssignment({ phase: "uploading" })] })],
    ["still boots", aNode({ state: "launching" })],
    ["is terminating", aNode({ state: "terminating" })],
  ])("a node does not count as idle if it %s", (_what, node) => {
    const later = due + 1e9;
    expect(idleNodes([seenUntil(node, later)], pool, later)).toEqual({ steps: [], wakeAtMs: undefined });
  });

  test("a node does not count as idle if its worker was silent for a minute and a half", () => {
    expect(idleNodes([seenUntil(idle, due - 90_000)], pool, due)).toEqual({ steps: [], wakeAtMs: undefined });
    expect(idleNodes([seenUntil(idle, due - 89_999)], pool, due).steps).toHaveLength(1);
  });

  test("the pool wakes for the first of several idle nodes", () => {
    const later = aNode({ id: "later", lastBusyMs: monday + 150_000, lastSeenMs: monday + 110_000 });
    expect(idleNodes([later, seenUntil(idle, monday + 110_000)], pool, monday + 110_000).wakeAtMs).toBe(due);
  });
});

describe("a GPU", () => {
  test("a GPU that is reported busy restarts the idle time", () => {
    const busy = { ...idle, gpusBusyAtMs: monday + 150_000 };
    expect(idleNodes([busy], pool, due)).toEqual({ steps: [], wakeAtMs: monday + 270_000 });
    expect(idleNodes([seenUntil(busy, monday + 270_000)], pool, monday + 270_000).steps).toHaveLength(1);
  });

  test("a GPU that was busy while the node still held something does not extend the idle time", () => {
    expect(idleNodes([{ ...idle, gpusBusyAtMs: monday + 99_000 }], pool, due).steps).toHaveLength(1);
  });

  test("a GPU that was busy but is no longer reported does not keep its node from being retired", () => {
    const stale = { ...idle, gpus: [{ index: 0, utilizationPercent: 90 }], gpusAtMs: monday + 50_000, gpusBusyAtMs: monday + 50_000 };
    expect(idleNodes([stale], pool, due).steps).toHaveLength(1);
  });

  test("a GPU that works without any job keeps its node for an hour, and the reason reports that", () => {
    const at = (nowMs: number) => idleNodes([{ ...idle, gpusBusyAtMs: nowMs, lastSeenMs: nowMs }], pool, nowMs);
    const hourLater = monday + 100_000 + 3_600_000 + 120_000;
    expect(at(hourLater - 1).steps).toEqual([]);
    expect(at(hourLater).steps).toMatchObject([{ because: expect.stringContaining("no job has used the node for 60 minutes") }]);
  });
});
