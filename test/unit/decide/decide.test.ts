import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { aLaunch, aNode, anAssignment, anEntry, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const now = monday + 70_000;
const seen = (over: Partial<Snapshot> = {}): Snapshot => aSnapshot({ nowMs: now, pool: aPool({ idleSeconds: 120 }), ...over });
const idleFor = (seconds: number, over = {}) => aNode({ lastBusyMs: now - seconds * 1000, readyAtMs: monday - 1e6, ...over });

test("a pool at rest has nothing to do and nothing to wait for", () => {
  expect(decide(seen())).toEqual({ steps: [], wakeAtMs: undefined });
});

test("a plan handles dead nodes first, then waiting jobs, then idle nodes", () => {
  const nodes = [idleFor(500, { id: "idle", team: "audio" }), aNode({ id: "dead", state: "gone" })];
  expect(decide(seen({ queue: [anEntry()], nodes })).steps.map((step) => step.kind)).toEqual(["lose", "launch", "retire"]);
});

describe("a node", () => {
  test("a node that gets work is not given back, however long it was idle", () => {
    expect(decide(seen({ queue: [anEntry()], nodes: [idleFor(500, { id: "n" })] })).steps).toMatchObject([{ kind: "bind", node: "n" }]);
  });

  test("an idle node is not given back while a job has not had its turn", () => {
    const before = Array.from({ length: 1_000 }, (_, n) => anEntry({ job: `huge-${n}`, needs: { vcpus: 2, memoryGiB: 8, gpus: 64 } }));
    const queue = [...before, anEntry({ submittedAtMs: monday + 1 })];
    const nodes = [idleFor(500, { id: "n" })];
    const plan = decide(seen({ queue, nodes }));
    expect(plan.steps.filter((step) => step.kind !== "fail")).toEqual([]);
    expect(plan.wakeAtMs).toBe(now);
    expect(decide(seen({ queue: queue.slice(1_000), nodes })).steps).toMatchObject([{ kind: "bind", node: "n" }]);
  });

  test("a dead node gets no work", () => {
    const dead = aNode({ state: "ready", lastSeenMs: now - 1_800_001 });
    expect(decide(seen({ queue: [anEntry()], nodes: [dead] })).steps.map((step) => step.kind)).toEqual(["end", "launch"]);
  });

  test("a silent node gets no work, and does not count as idle", () => {
    const silent = idleFor(500, { lastSeenMs: now - 90_000 });
    expect(decide(seen({ queue: [anEntry()], nodes: [silent] })).steps.map((step) => step.kind)).toEqual(["launch"]);
  });

  test("a booting node that a decision looks up at EC2 still gets work", () => {
    const booting = aNode({ id: "n", state: "launching", launchedAtMs: now - 60_000, readyAtMs: undefined, lastSeenMs: undefined });
    const plan = decide(seen({ queue: [anEntry()], nodes: [booting] }));
    expect(plan.steps).toMatchObject([
      { kind: "confirm", node: "n" },
      { kind: "bind", node: "n" },
    ]);
    expect(plan.wakeAtMs).toBe(now + 60_000);
  });

  test("a node with an interruption notice gets no work", () => {
    const draining = aNode({
      state: "draining",
      notice: { kind: "rebalance", atMs: now },
      assignments: [anAssignment({ phase: "uploading" })],
    });
    expect(decide(seen({ queue: [anEntry()], nodes: [draining] })).steps.map((step) => step.kind)).toEqual(["launch"]);
  });

  test("a node with an interruption notice is ended as soon as it is empty", () => {
    const draining = aNode({ state: "draining", notice: { kind: "interruption", atMs: now } });
    expect(decide(seen({ nodes: [draining] })).steps).toMatchObject([{ kind: "retire" }]);
  });

  test("a booting node already gets work", () => {
    const booting = aNode({ id: "n", state: "launching", launchedAtMs: now, readyAtMs: undefined, lastSeenMs: undefined });
    expect(decide(seen({ queue: [anEntry()], nodes: [booting] })).steps).toMatchObject([{ kind: "bind", node: "n" }]);
  });
});

describe("the next wake of a pool", () => {
  test("a pool wakes when the next node will have been idle for long enough", () => {
    expect(decide(seen({ nodes: [idleFor(20)] })).wakeAtMs).toBe(now + 100_000);
  });

  test("a pool wakes after five seconds while the outcome of a launch is unknown", () => {
    expect(decide(seen({ openLaunches: [aLaunch()], nodes: [idleFor(20)] })).wakeAtMs).toBe(now + 5_000);
  });

  test("a pool wakes at once when jobs were taken off a dead node", () => {
    const dead = aNode({ state: "gone", assignments: [anAssignment()] });
    expect(decide(seen({ nodes: [dead] })).wakeAtMs).toBe(now);
  });

  test("a pool wakes soon while prices are not known yet", () => {
    expect(decide(seen({ catalogue: undefined, queue: [anEntry()] })).wakeAtMs).toBe(now + 2_000);
  });

  test("a pool does not wake for a busy node", () => {
    expect(decide(seen({ nodes: [aNode({ lastSeenMs: now, assignments: [anAssignment({ phase: "running" })] })] }))).toEqual({
      steps: [],
      wakeAtMs: undefined,
    });
  });
});
