import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { SolveProgram } from "../../../lib/model/planning/linear-program.ts";
import { lowerBound } from "../../../lib/optimizer/bounds/bound.ts";
import { strongProgram } from "../../../lib/optimizer/bounds/strong-program.ts";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import { instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { NamedJob, Problem, Supply } from "../../../lib/optimizer/problem/problem.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import type { Solution } from "../../../lib/optimizer/search/solution.ts";
import { loadHighs } from "../../../lib/solver/highs.ts";
import { fitOn, wrongsOf } from "./checker.ts";
import { jobs, offers } from "./problems.ts";

let solve: SolveProgram;
beforeAll(async () => {
  solve = await loadHighs();
});

/** Single jobs and unlimited offers, so few that all packings can be tried. */
const small = fc
  .record({ all: jobs(5), supplies: offers(5) })
  .map(({ all, supplies }) => ({
    all: all.map(({ nodes: _, data: __, ...job }) => job),
    supplies: supplies.map(({ most: _, ...offer }) => offer),
  }))
  .filter(({ all, supplies }) => all.every((job) => cheapestUsd([job], supplies) < Number.POSITIVE_INFINITY));

const problemOf = (all: readonly NamedJob[], supplies: readonly Supply[]): Problem => ({
  dimensions: ["vcpus", "memoryGiB"],
  jobs: classesOf(all),
  nodes: [],
  offers: supplies,
});
const exactly = (problem: Problem): Solution => optimize(problem, { budget: stepBudget(1e9), engines: [], seed: 1, solve });
const usd = ({ cost }: Solution): number => cost.fleetUsd + cost.interruptionsUsd;

describe("small problems", () => {
  test("the exact plan of a small problem costs as little as the best of all packings, and is proven", () => {
    fc.assert(
      fc.property(small, ({ all, supplies }) => {
        const problem = problemOf(all, supplies);
        const solution = exactly(problem);
        expect(wrongsOf(problem, solution)).toEqual([]);
        expect(usd(solution)).toBeCloseTo(minUsd(all, supplies), 6);
        expect(solution.boundUsd).toBeCloseTo(usd(solution), 6);
      }),
      { numRuns: 60 },
    );
  });

  test("the exact plan of a small problem never costs more with one more offer", () => {
    fc.assert(
      fc.property(small, offers(1), ({ all, supplies }, more) => {
        const added = more.map(({ most: _, ...offer }) => ({ ...offer, name: `${offer.name}-more` }));
        expect(usd(exactly(problemOf(all, [...supplies, ...added])))).toBeLessThanOrEqual(usd(exactly(problemOf(all, supplies))) + 1e-6);
      }),
      { numRuns: 40 },
    );
  });

  test("the bound without a solver is valid, and as tight as the solver's bound", () => {
    fc.assert(
      fc.property(small, ({ all, supplies }) => {
        const instance = instanceOf(problemOf(all, supplies));
        const counts = Float64Array.from(instance.shapes, (shape) => shape.count);
        const own = lowerBound(instance, counts, { known: [], budget: stepBudget(1e8) }) * instance.usd;
        const program = solve(strongProgram(instance));
        const its = program.kind === "solved" ? program.cost * instance.usd : Number.NaN;
        expect(own).toBeLessThanOrEqual(minUsd(all, supplies) + 1e-6);
        expect(its).toBeLessThanOrEqual(minUsd(all, supplies) + 1e-6);
        // Our bound may be higher, because it also uses the number of jobs of each shape.
        expect(own).toBeGreaterThanOrEqual(its * (1 - 2e-3) - 1e-6);
      }),
      { numRuns: 60 },
    );
  });
});

/** Returns the least cost of all packings. */
function minUsd([first, ...others]: readonly NamedJob[], supplies: readonly Supply[], bins: readonly (readonly NamedJob[])[] = []): number {
  if (first === undefined) return bins.reduce((sum, bin) => sum + cheapestUsd(bin, supplies), 0);
  const joined = bins.map((bin, index) => minUsd(others, supplies, bins.toSpliced(index, 1, [...bin, first])));
  return Math.min(minUsd(others, supplies, [...bins, [first]]), ...joined);
}

function cheapestUsd(bin: readonly NamedJob[], supplies: readonly Supply[]): number {
  const prices = supplies.flatMap((offer) =>
    holds(offer, bin) ? [offer.usdPerHour * (1 + (offer.interruptionsPerHour ?? 0) * 0.25)] : [],
  );
  return Math.min(Number.POSITIVE_INFINITY, ...prices);
}

function holds(offer: Supply, bin: readonly NamedJob[]): boolean {
  const isWithin = offer.capacity.every((room, dimension) => bin.reduce((sum, job) => sum + (job.size[dimension] ?? 0), 0) <= room + 1e-9);
  const wanted = bin.map((job) => job.gpu?.count ?? 0).filter((count) => count > 0);
  const gpus = Array.from({ length: offer.gpu?.count ?? 0 }, () => 1);
  const suits = bin.every(({ gpu, spot }) => {
    if (offer.market === "spot" && !spot) return false;
    if (!gpu || gpu.count === 0) return true;
    return (offer.gpu?.memoryGiB ?? 0) >= (gpu.memoryGiB ?? 0) && (!gpu.models?.length || gpu.models.includes(offer.gpu?.model ?? ""));
  });
  return (
    isWithin &&
    suits &&
    fitOn(
      wanted.sort((a, b) => b - a),
      gpus,
    )
  );
}
