import { expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { closingPool } from "../../../lib/decide/scaling/closing.ts";
import { aNode, anEntry, aSnapshot, monday } from "../../fakes/builders.ts";

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
