import { expect, test } from "vitest";
import { freeOn, isLive } from "../../../lib/model/node.ts";
import { usable } from "../../../lib/model/offer.ts";
import { fits, minus, plus, sum } from "../../../lib/model/values/resources.ts";
import { aNode, anAssignment, aType } from "../../fakes/builders.ts";

const big = aType({ resources: { vcpus: 8, memoryGiB: 32, gpus: 4 } });

test("a node that holds nothing is completely free", () => {
  expect(freeOn(aNode({ type: big }))).toEqual(big.resources);
});

test.each(["placed", "running"] as const)("an attempt that is %s uses what it needs", (phase) => {
  expect(freeOn(aNode({ type: big, assignments: [anAssignment({ phase })] }))).toEqual({ vcpus: 6, memoryGiB: 24, gpus: 3 });
});

test("an attempt that only uploads uses no resources", () => {
  const assignments = [anAssignment({ phase: "uploading" }), anAssignment({ job: "train-2", phase: "running" })];
  expect(freeOn(aNode({ type: big, assignments }))).toEqual({ vcpus: 6, memoryGiB: 24, gpus: 3 });
});

test.each([
  ["launching", true],
  ["ready", true],
  ["draining", false],
  ["terminating", false],
  ["gone", false],
] as const)("whether a node that is %s is live: %s", (state, live) => {
  expect(isLive(aNode({ state }))).toBe(live);
});

test("a job fits only where it fits in every dimension", () => {
  const room = { vcpus: 4, memoryGiB: 16, gpus: 1 };
  expect(fits(room, room)).toBe(true);
  expect(fits({ ...room, vcpus: 4.1 }, room)).toBe(false);
  expect(fits({ ...room, memoryGiB: 16.1 }, room)).toBe(false);
  expect(fits({ ...room, gpus: 2 }, room)).toBe(false);
});

test("subtracting resources that were added gives the original ones", () => {
  const a = { vcpus: 4, memoryGiB: 16, gpus: 1 };
  const b = { vcpus: 2, memoryGiB: 8, gpus: 1 };
  expect(minus(plus(a, b), b)).toEqual(a);
  expect(sum([a, b, b])).toEqual({ vcpus: 8, memoryGiB: 32, gpus: 3 });
});

test("the host keeps some CPU and memory of an instance, and no GPU", () => {
  expect(usable({ vcpus: 4, memoryGiB: 100, gpus: 1 })).toEqual({ vcpus: 3.8, memoryGiB: 92, gpus: 1 });
  expect(usable({ vcpus: 0.1, memoryGiB: 0, gpus: 0 }).vcpus).toBe(0);
});
