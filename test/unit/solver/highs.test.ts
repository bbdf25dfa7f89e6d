import { beforeAll, describe, expect, it } from "vitest";
import type { LinearProgram, SolveProgram } from "../../../lib/model/planning/linear-program.ts";
import { loadHighs } from "../../../lib/solver/highs.ts";

let solve: SolveProgram;
beforeAll(async () => {
  solve = await loadHighs();
});

/** Two goods that cost 3 and 2, with x + y ≥ 4.5 and x + 3y ≥ 6. */
const diet = (whole: boolean): LinearProgram => ({
  columns: [
    { cost: 3, whole },
    { cost: 2, whole, upper: 3 },
  ],
  rows: [
    {
      lower: 4.5,
      terms: [
        [0, 1],
        [1, 1],
      ],
    },
    {
      lower: 6,
      terms: [
        [0, 1],
        [1, 3],
      ],
    },
  ],
});

describe("HiGHS", () => {
  it("HiGHS finds the least cost, its bound, and the price of one more unit", () => {
    const result = solve(diet(false));
    expect(result).toMatchObject({ kind: "solved", proven: true });
    if (result.kind !== "solved") return;
    expect(result.values.map((value) => Math.round(value * 1e6) / 1e6)).toEqual([1.5, 3]);
    expect(result.cost).toBeCloseTo(10.5, 9);
    expect(result.bound).toBeCloseTo(10.5, 9);
    expect(result.prices?.map((price) => Math.round(price * 1e6) / 1e6)).toEqual([3, 0]);
  });

  it("a program with whole columns gets whole numbers, and no prices", () => {
    const result = solve(diet(true));
    expect(result).toMatchObject({ kind: "solved", proven: true, values: [2, 3] });
    if (result.kind !== "solved") return;
    expect(result.cost).toBeCloseTo(12, 9);
    expect(result.bound).toBeCloseTo(12, 6);
    expect(result.prices).toBeUndefined();
  });

  it("the relaxation of a program treats whole columns as continuous", () => {
    expect(solve(diet(true), { relaxed: true })).toEqual(solve(diet(false)));
  });

  it("an infeasible program returns the rows that contradict each other", () => {
    const program: LinearProgram = {
      columns: [{ cost: 1, upper: 2 }, { cost: 1 }],
      rows: [
        { lower: 0, terms: [[1, 1]] },
        { lower: 3, terms: [[0, 1]] },
      ],
    };
    expect(solve(program)).toEqual({ kind: "infeasible", rows: [1] });
  });

  it("a program that no whole numbers satisfy is infeasible", () => {
    const program: LinearProgram = { columns: [{ cost: 1, whole: true }], rows: [{ lower: 0.2, upper: 0.8, terms: [[0, 1]] }] };
    expect(solve(program)).toMatchObject({ kind: "infeasible" });
  });

  it.each([false, true])("a program whose cost has no minimum is unbounded (whole columns: %s)", (whole) => {
    expect(solve({ columns: [{ cost: -1, whole }], rows: [{ lower: 1, terms: [[0, 1]] }] })).toEqual({ kind: "unbounded" });
  });

  it("a program without columns or rows is solved, or infeasible if a row demands something", () => {
    expect(solve({ columns: [], rows: [] })).toMatchObject({ kind: "solved", proven: true, cost: 0, values: [] });
    expect(
      solve({
        columns: [],
        rows: [
          { lower: 0, terms: [] },
          { lower: 1, terms: [] },
        ],
      }),
    ).toEqual({ kind: "infeasible", rows: [1] });
    expect(solve({ columns: [{ cost: 1 }], rows: [] })).toMatchObject({ kind: "solved", cost: 0, values: [0] });
  });

  it("a solution that a limit cuts short is not proven, but is feasible and never below its bound", () => {
    const result = solve(knapsack(), { nodes: 1 });
    expect(result).toMatchObject({ kind: "solved", proven: false });
    if (result.kind !== "solved") return;
    expect(result.bound).toBeLessThanOrEqual(result.cost + 1e-6);
    expect(solve(knapsack(), { nodes: 1 })).toEqual(result);
  });

  it("a limit that leaves no solution is reported as the reason", () => {
    expect(solve(diet(false), { ms: 0 })).toEqual({ kind: "unanswered", reason: "time limit" });
  });
});

/** Market-split rows, which are hard for branch and bound although they are small. The slack makes every point feasible. */
function knapsack(): LinearProgram {
  const size = 16;
  const weight = (row: number, column: number): number => ((row * 7919 + column * 104_729 + row * column * 31) % 97) + 1;
  const rows = [0, 1, 2].map((row) => {
    const terms = Array.from({ length: size }, (_, column): [number, number] => [column, weight(row, column)]);
    const half = terms.reduce((sum, [, factor]) => sum + factor, 0) / 2;
    return { lower: half, upper: half, terms: [...terms, [size + 2 * row, 1], [size + 2 * row + 1, -1]] as [number, number][] };
  });
  return {
    columns: [
      ...Array.from({ length: size }, () => ({ cost: 0, upper: 1, whole: true })),
      ...Array.from({ length: 6 }, () => ({ cost: 1 })),
    ],
    rows,
  };
}
