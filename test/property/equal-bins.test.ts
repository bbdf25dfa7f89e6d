import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepBudget } from "../../lib/optimizer/problem/budget.ts";
import { itemsOf } from "../bench/research/equal-bins/bins.ts";
import { packEqual } from "../bench/research/equal-bins/pack.ts";

const capacity = [100, 60, 7] as const;
const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 7 })), {
  maxLength: 40,
});
const pack = (all: readonly (readonly number[])[], { steps = 300, seed = 1 } = {}) =>
  packEqual(itemsOf(all, capacity), { budget: stepBudget(steps), seed });

/** Returns the fewest bins, by trying everything. */
function fewest(all: readonly (readonly number[])[]): number {
  let best = all.length;
  const put = (index: number, bins: readonly (readonly number[])[]): void => {
    if (bins.length >= best) return;
    const item = all[index];
    if (!item) {
      best = bins.length;
      return;
    }
    bins.forEach((used, bin) => {
      const sum = used.map((each, at) => each + (item[at] ?? 0));
      if (sum.every((each, at) => each <= (capacity[at] ?? 0))) put(index + 1, bins.with(bin, sum));
    });
    put(index + 1, [...bins, item]);
  };
  put(0, []);
  return best;
}

describe("items in equal bins", () => {
  it("every item is packed once, and no bin is overfull in any dimension", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 500 }), (all, steps) => {
        const { bins } = pack(all, { steps });
        expect(bins.flat().sort((a, b) => a - b)).toEqual(all.map((_, index) => index));
        for (const bin of bins) {
          expect(bin.length).toBeGreaterThan(0);
          capacity.forEach((most, at) => {
            expect(bin.reduce((sum, item) => sum + (all[item]?.[at] ?? 0), 0)).toBeLessThanOrEqual(most);
          });
        }
      }),
    );
  });

  it("a packing takes no fewer bins than the bound, which never exceeds the fewest possible", () => {
    fc.assert(
      fc.property(
        fc.array(
          rows.map((each) => each[0] ?? ([1, 1, 1] as const)),
          { maxLength: 7 },
        ),
        (all) => {
          const { bins, bound } = pack(all);
          const least = fewest(all);
          expect(bound).toBeLessThanOrEqual(least);
          expect(bins.length).toBeGreaterThanOrEqual(least);
        },
      ),
    );
  });

  it("the same seed and steps give the same packing, and the search takes no more steps than allowed", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 300 }), fc.nat({ max: 9 }), (all, steps, seed) => {
        const once = pack(all, { steps, seed });
        expect(pack(all, { steps, seed })).toEqual(once);
        expect(pack(all, { steps: once.steps, seed }).bins).toEqual(once.bins);
      }),
    );
  });

  it("a larger budget never takes more bins", () => {
    fc.assert(
      fc.property(rows, (all) => {
        expect(pack(all, { steps: 400 }).bins.length).toBeLessThanOrEqual(pack(all, { steps: 5 }).bins.length);
      }),
    );
  });
});
