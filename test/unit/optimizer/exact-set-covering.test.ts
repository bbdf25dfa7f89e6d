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

/** Returns the programs that the engine has solved for these jobs. */
function solvedFor(...all: readonly JobClass[]): readonly LinearProgram[] {
  const programs: LinearProgram[] = [];
  const instance = instanceOf({ dimensions: ["vcpus"], jobs: all, nodes: [], offers: [offer] });
  const engine = new ExactSetCovering(instance, (program) => {
    programs.push(program);
    return { kind: "unanswered", reason: "not asked" };
  });
  expect(engine.improve()).toMatchObject({ packing: undefined, isDone: true });
  return programs;
}

test("the exact engine solves a problem of forty jobs in all, and gives up on one more", () => {
  expect(solvedFor(jobs("a", 20, 4), jobs("b", 20, 3))).toHaveLength(1);
  expect(solvedFor(jobs("a", 21, 4), jobs("b", 20, 3))).toEqual([]);
});
