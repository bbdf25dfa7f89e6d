import { expect, test } from "vitest";
import { place } from "../../../lib/flows/place.ts";
import { aNode, anAssignment, aPool, monday } from "../../fakes/builders.ts";
import { aWorld } from "./world.ts";

test("nodes are drained and dead nodes end although the queue cannot be read, and the run fails afterwards", async () => {
  const pool = aPool({ maxLifetimeSeconds: 600 });
  const world = aWorld({ pool });
  const { table } = world.ledger;
  const old = aNode({ id: "i-00000000000000a1", launchedAtMs: monday - 3_600_000, assignments: [anAssignment({ job: "old" })] });
  const gone = aNode({ id: "i-00000000000000a2", state: "gone", stateSinceMs: monday, assignments: [anAssignment({ job: "lost" })] });
  for (const node of [old, gone]) table.putNode({ ...node, lastSeenMs: monday });
  const failing = { ...world.deps.decisions, waiting: () => Promise.reject(new Error("the queue is throttled")) };
  const run = place({ ...world.deps, decisions: failing }, { pool, msLeft: () => 60_000 });
  await expect(run).rejects.toThrow("the queue is throttled");
  expect(table.nodes.get(`gpu/${old.id}`)?.node.state).toBe("draining");
  expect(table.nodes.get(`gpu/${gone.id}`)?.node.assignments ?? []).toEqual([]);
  expect(world.log.map(({ message }) => message)).toContain("queue not read");
});
