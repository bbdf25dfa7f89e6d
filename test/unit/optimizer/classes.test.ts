import { expect, test } from "vitest";
import { classesOf, dataKey, keyOf } from "../../../lib/optimizer/problem/classes.ts";
import type { NamedJob } from "../../../lib/optimizer/problem/problem.ts";

const job = (name: string, over: Partial<NamedJob> = {}): NamedJob => ({ name, size: [1, 2], ...over });

test("classes are sorted by key and their jobs by name, in whatever order the jobs come", () => {
  const jobs = [job("c", { size: [2, 1] }), job("b"), job("d", { priority: 1 }), job("a")];
  for (const order of [jobs, jobs.toReversed()])
    expect(classesOf(order)).toEqual([
      { size: [1, 2], names: ["a", "b"] },
      { size: [1, 2], priority: 1, names: ["d"] },
      { size: [2, 1], names: ["c"] },
    ]);
  const keys = classesOf(jobs).map(keyOf);
  expect(keys).toEqual(keys.toSorted());
});

test.each<[string, Partial<NamedJob>]>([
  ["size", { size: [1, 3] }],
  ["number of GPUs", { gpu: { count: 1 } }],
  ["number of nodes", { nodes: 2 }],
  ["priority", { priority: 1 }],
  ["deadline", { deadlineHours: 1 }],
  ["datasets", { data: { d: 1 } }],
  ["market", { spot: true }],
])("jobs that differ in their %s are of different classes", (_, over) => {
  expect(classesOf([job("a"), job("b", over)])).toHaveLength(2);
  expect(classesOf([job("a", over), job("b", over)])).toHaveLength(1);
});

test("jobs that read the same data are of one class, in whatever order the data are listed", () => {
  expect(dataKey({ b: 2, a: 1 })).toBe('[["a",1],["b",2]]');
  expect(dataKey()).toBe(dataKey({}));
  expect(classesOf([job("a", { data: { x: 1, y: 2 } }), job("b", { data: { y: 2, x: 1 } })])).toHaveLength(1);
});
