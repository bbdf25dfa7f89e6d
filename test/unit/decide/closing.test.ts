import { expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { closingPool } from "../../../lib/decide/scaling/closing.ts";
import type { Node } from "../../../lib/model/node.ts";
import { aNode, anAssignment, anEntry, aSnapshot, monday } from "../../fakes/builders.ts";

test("the plan for a closing pool is the same in whatever order its snapshot is listed", () => {
  const queue = ["b", "a", "c"].map((job) => anEntry({ job }));
  const nodes = ["i-00000002", "i-00000001"].map((id) => aNode({ id }));
  const snapshot = aSnapshot({
    nowMs: monday + 120_000,
    pool: closingPool("gpu"),
    reserved: { usdPerHour: 1, gpus: 2 },
    queue,
    nodes,
  });
  const plan = decide(snapshot);
  expect(plan.steps).toHaveLength(5);
  expect(decide({ ...snapshot, queue: queue.toReversed(), nodes: nodes.toReversed() })).toEqual(plan);
});

test("a closing pool looks silent nodes up each minute, and decides at once on what it takes off a node that does not boot", () => {
  const nowMs = monday + 120_000;
  const drain = { because: "the pool was removed", untilMs: nowMs + 1_800_000 };
  const silent = aNode({ state: "draining", drain, lastSeenMs: nowMs - 200_000, assignments: [anAssignment({ phase: "running" })] });
  const planAt = (atMs: number, node: Node, lookedAtMs?: number) =>
    decide(aSnapshot({ nowMs: atMs, pool: closingPool("gpu"), nodes: [node], lookedAtMs }));
  expect(planAt(nowMs, silent)).toMatchObject({ steps: [{ kind: "confirm", node: silent.id }], wakeAtMs: nowMs + 60_000 });
  expect(planAt(nowMs + 20_000, silent, nowMs)).toMatchObject({ steps: [], wakeAtMs: nowMs + 60_000 });
  const stuck = aNode({ state: "launching", lastSeenMs: undefined, launchedAtMs: nowMs - 600_001, assignments: [anAssignment()] });
  expect(planAt(nowMs, stuck)).toMatchObject({ steps: [{ kind: "end", node: stuck.id }], wakeAtMs: nowMs });
});
