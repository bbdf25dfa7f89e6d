import { expect, test } from "vitest";
import type { FreeNode, JobClass, Supply } from "../../../lib/optimizer/problem/problem.ts";
import { floorUsd } from "../../../lib/optimizer/search/floor.ts";

const place = { type: "t", zone: "z", market: "on-demand" } as const;
const job = (size: number, count = 1): JobClass => ({ names: Array.from({ length: count }, (_, n) => `${size}-${n}`), size: [size] });
const offer = (usdPerHour: number, vcpus: number): Supply => ({ ...place, name: `o${usdPerHour}`, usdPerHour, capacity: [vcpus] });
const node = (vcpus: number): FreeNode => ({ ...place, name: "n", room: [vcpus] });
const floor = (jobs: readonly JobClass[], offers: readonly Supply[], nodes: readonly FreeNode[] = []): number =>
  floorUsd({ jobs, nodes, offers, priceOf: ({ usdPerHour }) => usdPerHour });

test("all jobs cost at least the lowest price per vCPU", () => {
  expect(floor([job(2, 10)], [offer(8, 8), offer(3, 4)])).toBe(15);
});

test("the largest job costs at least the cheapest offer that holds it", () => {
  expect(floor([job(1), job(5)], [offer(1, 4), offer(9, 8), offer(7, 6)])).toBe(7);
});

test("what nodes have free costs nothing, also the largest job if one of them may hold it", () => {
  expect(floor([job(2, 10)], [offer(3, 4)], [node(12)])).toBe(6);
  expect(floor([job(4)], [offer(3, 4)], [node(4)])).toBe(0);
  expect(floor([job(4)], [offer(3, 4)], [node(3.9)])).toBe(3);
});

test("the bound is 0 if there are no jobs, or if no offer holds them", () => {
  expect(floor([], [offer(1, 4)])).toBe(0);
  expect(floor([job(4)], [])).toBe(0);
});
