import { expect, test } from "vitest";
import type { LinearProgram } from "../../../lib/model/planning/linear-program.ts";
import { ExactSetCovering } from "../../../lib/optimizer/engines/exact-set-covering.ts";
import { instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { JobClass } from "../../../lib/optimizer/problem/problem.ts";

const offer = { name: "o", type: "t", zone: "z", market: "on-demand", usdPerHour: 1, capacity: [8] } as const;
const jobs = (prefix: string, count: number, size: number): JobClass => ({
  names: Array.from({ length: count }, (_, n) => `${prefix}${n}`),
  size: [size],
});

/** Returns the programs that the engine has solved for these jobs, and the steps that it has counted. */
function solvedFor(...all: readonly JobClass[]): { readonly programs: readonly LinearProgram[]; readonly steps: number } {
  const programs: LinearProgram[] = [];
  const instance = instanceOf({ dimensions: ["vcpus"], jobs: all, nodes: [], offers: [offer] });
  const engine = new ExactSetCovering(instance, (program) => {
    programs.push(program);
    return { kind: "unanswered", reason: "not asked" };
  });
  const { steps, ...rest } = engine.improve();
  expect(rest).toEqual({ packing: undefined, isDone: true });
  return { programs, steps };
}

test("the exact engine solves a problem of forty jobs in all, and gives up on one more", () => {
  expect(solvedFor(jobs("a", 20, 4), jobs("b", 20, 3)).programs).toHaveLength(1);
  expect(solvedFor(jobs("a", 21, 4), jobs("b", 20, 3)).programs).toEqual([]);
});

test("the exact engine counts more steps for a program with more patterns", () => {
  const [few, many] = [solvedFor(jobs("a", 2, 4)), solvedFor(jobs("a", 2, 4), jobs("b", 8, 1))];
  const patterns = ({ programs }: typeof few) => programs[0]?.columns.length ?? 0;
  expect(patterns(many)).toBeGreaterThan(patterns(few));
  // Steps of engines are compared, so a solver's counts as much as a small search.
  for (const each of [few, many]) expect(each.steps).toBe(1_000 + 100 * patterns(each));
});
