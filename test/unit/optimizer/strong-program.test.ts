import { expect, test } from "vitest";
import { strongProgram } from "../../../lib/optimizer/bounds/strong-program.ts";
import { instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { FreeNode, JobClass, Supply } from "../../../lib/optimizer/problem/problem.ts";

const place = { type: "t", zone: "z", market: "on-demand" } as const;
const jobs: readonly JobClass[] = [
  { names: ["a", "b", "c"], size: [2], data: { d: 1 } },
  { names: ["d"], size: [1] },
];
const node: FreeNode = { ...place, name: "n", room: [3], warm: ["d"] };
const offer: Supply = { ...place, name: "o", usdPerHour: 2, capacity: [4] };

test("the program has a column per kind of bin and per shape in it, covers each shape, and overfills no bin", () => {
  const terms = { usdPerGiB: 1, hoursOfUse: 1 };
  const instance = instanceOf({ dimensions: ["vcpus"], jobs, nodes: [node], offers: [offer], terms });
  const { columns, rows } = strongProgram(instance);
  const small = instance.shapes.findIndex(({ count }) => count === 1);
  const extras = (moved: number) => [0, 1].map((shape) => ({ cost: shape === small ? 0 : moved }));
  // The node is free and exists once, and its data need not be moved. The offer is unlimited.
  expect(columns).toEqual([{ cost: 0, upper: 1 }, ...extras(0), { cost: 1, upper: undefined }, ...extras(0.5)]);
  const [first, second, ...measures] = rows;
  expect([first, second]).toEqual([
    {
      lower: instance.shapes[0]?.count,
      terms: [
        [1, 1],
        [4, 1],
      ],
    },
    {
      lower: instance.shapes[1]?.count,
      terms: [
        [2, 1],
        [5, 1],
      ],
    },
  ]);
  expect(measures.every(({ upper, lower }) => upper === 0 && lower === undefined)).toBe(true);
  for (const bins of [0, 3]) {
    const own = measures.filter((row) => row.terms.some(([column]) => column === bins));
    const big = small === 0 ? 1 : 0;
    const uses = own.map((row) => Object.fromEntries(row.terms.map(([column, part]) => [column, Number(part.toFixed(6))])));
    const share = (size: number, room: number) => Number((size / room).toFixed(6));
    const room = bins === 0 ? 3 : 4;
    expect(uses).toContainEqual({ [bins]: -1, [bins + 1 + big]: share(2, room), [bins + 1 + small]: share(1, room) });
  }
});

test("a shape that takes a whole bin has its place in the program, and one that takes nothing of a measure has none", () => {
  const gpu = { model: "t4", memoryGiB: 16, count: 1 };
  const all: readonly JobClass[] = [
    { names: ["a"], size: [4] },
    { names: ["b"], size: [1], gpu: { count: 1 } },
  ];
  const instance = instanceOf({ dimensions: ["vcpus"], jobs: all, nodes: [], offers: [{ ...offer, gpu }] });
  const measures = strongProgram(instance).rows.slice(2);
  const plain = instance.shapes.findIndex(({ whole }) => whole === 0);
  const withGpu = 1 - plain;
  const uses = measures.map((row) => Object.fromEntries(row.terms));
  expect(uses).toContainEqual({ 0: -1, [1 + plain]: 1, [1 + withGpu]: 0.25 });
  expect(uses).toContainEqual({ 0: -1, [1 + withGpu]: 1 });
});
