import { describe, expect, test } from "vitest";
import { allLoads } from "../../../lib/optimizer/engines/all-loads.ts";
import { type BinKind, instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { JobClass } from "../../../lib/optimizer/problem/problem.ts";

const gpu = { model: "T4", memoryGiB: 16 };
const offer = { name: "o", type: "t", zone: "z", market: "on-demand", usdPerHour: 1, capacity: [8], gpu: { ...gpu, count: 2 } } as const;

/** Returns the numbers of jobs of each shape in each load that a node of two GPUs can hold. */
function loadsOf(jobs: readonly JobClass[], of: { most?: number; onlyFull?: boolean } = {}): readonly (readonly number[])[] | undefined {
  const instance = instanceOf({ dimensions: ["vcpus"], jobs, nodes: [], offers: [offer] });
  const [kind] = instance.kinds;
  const loads = allLoads(instance, kind as BinKind, { most: of.most ?? 100, onlyFull: of.onlyFull ?? false });
  return loads?.map(({ shapes, counts }) => instance.shapes.map((_, shape) => counts[shapes.indexOf(shape)] ?? 0)).toSorted();
}

const sharing = (share: number, count: number): JobClass => ({
  names: Array.from({ length: count }, (_, n) => `${share}-${n}`),
  size: [1],
  gpu: { count: share },
});

describe("all loads of a node", () => {
  test("shares of GPUs that do not fit on one GPU together need two", () => {
    expect(loadsOf([sharing(0.6, 5)])).toEqual([[1], [2]]);
    expect(loadsOf([sharing(0.5, 9)])).toEqual([[1], [2], [3], [4]]);
    // The smaller share comes first. Two jobs of 0.7 need a GPU each and leave room for two of 0.3; one of 0.7 leaves room for all three.
    expect(loadsOf([sharing(0.7, 2), sharing(0.3, 3)], { onlyFull: true })).toEqual([
      [2, 2],
      [3, 1],
    ]);
  });

  test("a job with a whole GPU leaves the other one to shares", () => {
    const whole = { names: ["w1", "w2", "w3"], size: [1], gpu: { count: 1 } };
    expect(loadsOf([whole, sharing(0.6, 2)], { onlyFull: true })).toEqual([
      [0, 2],
      [1, 1],
      [2, 0],
    ]);
  });

  test("a job with a whole GPU takes an untouched one of an existing node, and leaves the others to shares", () => {
    const node = { name: "n", room: [8], type: "t", zone: "z", market: "on-demand", gpu, gpusFree: [1, 0.5, 0.5] } as const;
    const whole = { names: ["w"], size: [1], gpu: { count: 1 } };
    const loads = (share: number) => {
      const instance = instanceOf({ dimensions: ["vcpus"], jobs: [whole, sharing(share, 1)], nodes: [node], offers: [] });
      const [kind] = instance.kinds;
      return allLoads(instance, kind as BinKind, { most: 100, onlyFull: true })?.map(({ shapes }) => shapes.length);
    };
    expect(loads(0.5)).toEqual([2]);
    expect(loads(0.6)).toEqual([1, 1]);
  });

  test("no loads are returned if there are more than allowed", () => {
    expect(loadsOf([sharing(0.5, 9)], { most: 4 })).toHaveLength(4);
    expect(loadsOf([sharing(0.5, 9)], { most: 3 })).toBeUndefined();
  });
});
