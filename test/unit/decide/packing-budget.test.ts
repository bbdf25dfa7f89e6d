import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { afterPacking, boundSteps, packingBudget, packingSteps, stepsFor } from "../../../lib/decide/placement/packing-budget.ts";
import { aCatalogue, anEntry, anOffer, aPool, aSnapshot, aType, monday } from "../../fakes/builders.ts";

describe("the optimizer's steps in one decision", () => {
  test("the steps are proportional to what first fit's nodes cost per hour, between a minimum and a maximum", () => {
    expect([0, 0.5, 1, 2, 25, 1_000, 1e9].map(packingSteps)).toEqual([100_000, 100_000, 100_000, 200_000, 2_500_000, 2_500_000, 2_500_000]);
  });

  test("the lower bound takes an eighth of the search's steps in addition", () => {
    expect([0, 100_000, 2_500_000].map(boundSteps)).toEqual([0, 12_500, 312_500]);
  });

  test("the packings of one decision get steps in proportion to their cost, and what one does not use is left to the next", () => {
    const all = packingBudget(10);
    expect(stepsFor(4, all)).toBe(400_000);
    const left = afterPacking(all, { usdPerHour: 4, steps: 100_000 });
    expect(stepsFor(3, left)).toBe(450_000);
    expect(stepsFor(3, afterPacking(left, { usdPerHour: 3, steps: 450_000 }))).toBe(450_000);
  });

  test("a packing that used more than its steps leaves fewer to the others, but never less than none", () => {
    expect(afterPacking(packingBudget(2), { usdPerHour: 1, steps: 150_000 })).toEqual({ steps: 50_000, usdPerHour: 1 });
    expect(stepsFor(1, afterPacking(packingBudget(2), { usdPerHour: 1, steps: 900_000 }))).toBe(0);
  });

  test("packings that first fit places on nodes without a price share the steps without dividing by zero", () => {
    expect(stepsFor(0, { steps: 100_000, usdPerHour: 0 })).toBe(100_000);
  });
});

describe("a decision for many teams", () => {
  const vcpus = [3, 5, 7, 11, 13];
  const types = vcpus.map((each) =>
    aType({ name: `t${each}`, resources: { vcpus: each * 4, memoryGiB: each * 9, gpus: 0 }, gpu: undefined }),
  );
  const catalogue = aCatalogue({
    types,
    offers: types.map(({ name }, nth) => anOffer({ instanceType: name, usdPerHour: 0.6 * (nth + 1) })),
  });
  const queue = (teams: number) =>
    Array.from({ length: 120 }, (_, nth) => ({
      ...anEntry({
        job: `j${nth}`,
        submittedAtMs: monday + nth,
        needs: { vcpus: 1 + ((nth * 7) % 11), memoryGiB: 1 + ((nth * 5) % 13), gpus: 0 },
        gpu: { models: [], memoryGiB: 0 },
      }),
      team: `team-${nth % teams}`,
    }));
  const packedFor = (teams: number) =>
    decide(aSnapshot({ nowMs: monday + 60_000, queue: queue(teams), catalogue, pool: aPool({ limits: { usdPerHour: 1e4, gpus: 0 } }) }))
      .packing;

  test.each([1, 2, 6])("a decision for %i teams takes the steps of one budget, not one budget per team", (teams) => {
    const packing = packedFor(teams);
    expect(packing?.usdPerHour).toBeGreaterThan(10);
    // A search ends with its slice of work, so each team may use a slice more than its part.
    expect(packing?.steps).toBeLessThan(1.2 * packingSteps(1.5 * (packing?.usdPerHour ?? 0)));
  });

  test("the same decision takes the same steps every time", () => {
    expect(packedFor(2)).toEqual(packedFor(2));
  });
});
