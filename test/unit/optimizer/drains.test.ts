import { expect, test } from "vitest";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import type { FreeNode, JobClass, Problem, Supply } from "../../../lib/optimizer/problem/problem.ts";
import { consolidate } from "../../../lib/optimizer/search/drains.ts";

const job = (name: string, size: number, over: Partial<JobClass> = {}): JobClass => ({ names: [name], size: [size], spot: true, ...over });
const place = { type: "t", zone: "z", market: "spot" } as const;
const node = (name: string, room: number, over: Partial<FreeNode> = {}): FreeNode => ({ ...place, name, room: [room], ...over });
const offer: Supply = { ...place, name: "o", usdPerHour: 0.5, capacity: [4] };

/** Returns the nodes that are emptied if a node for a dollar holds a job. A start of its job again costs a quarter of the dollar. */
function emptied(held: JobClass, over: Partial<Problem>): readonly string[] {
  const { nodes = [], ...rest } = over;
  const holding = node("dear", 0, { usdPerHour: 1, holds: [held] });
  const problem: Problem = { dimensions: ["vcpus"], jobs: [], offers: [], ...rest, nodes: [...nodes, holding] };
  return consolidate(problem, { budget: stepBudget(1_000), boundBudget: stepBudget(1_000), seed: 1 }).drains.map((each) => each.node);
}

test.each([
  ["the price of a new node", 0.7, 0.8, (usdPerHour: number) => emptied(job("j", 4), { offers: [{ ...offer, usdPerHour }] })],
  [
    "the interruptions of a new node",
    1,
    3,
    (interruptionsPerHour: number) => emptied(job("j", 4), { offers: [{ ...offer, interruptionsPerHour }] }),
  ],
  [
    "the data that moves with its job",
    70,
    80,
    (giB: number) => emptied(job("j", 4, { data: { d: giB } }), { nodes: [node("free", 4)], terms: { usdPerGiB: 0.01 } }),
  ],
  [
    "the more urgent job that waits instead of another one",
    0.01,
    0.1,
    // The urgent job has the whole node before, and two others wait. Then the moved job and one of the others have it.
    (waitUsdPerHour: number) =>
      emptied(job("moved", 2, { priority: 9 }), {
        jobs: [job("urgent", 4, { priority: 5 }), job("a", 2), job("b", 2)],
        nodes: [node("free", 4)],
        terms: { waitUsdPerHour },
      }),
  ],
])("a node is emptied only if it costs more than what follows from it: %s", (_, little, much, emptiedAt) => {
  expect(emptiedAt(little)).toEqual(["dear"]);
  expect(emptiedAt(much)).toEqual([]);
});
