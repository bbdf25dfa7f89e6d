import { expect, test } from "vitest";
import { holds, mayBuy, suits } from "../../../lib/model/match.ts";
import { anEntry, anOffer, aType } from "../../fakes/builders.ts";

const wantsGpu = (gpu: { memoryGiB?: number; models?: string[] }) => anEntry({ gpu: { memoryGiB: 0, models: [], ...gpu } });
const a10g = aType();
const cpuOnly = aType({ name: "c7i.xlarge", resources: { vcpus: 4, memoryGiB: 8, gpus: 0 }, gpu: undefined });

test.each([
  ["any GPU", wantsGpu({}), true],
  ["its model, without case", wantsGpu({ models: ["T4", "a10g"] }), true],
  ["another model", wantsGpu({ models: ["T4"] }), false],
  ["just its memory", wantsGpu({ memoryGiB: 24 }), true],
  ["more memory", wantsGpu({ memoryGiB: 24.5 }), false],
])("an A10G suits a job that wants %s: %s", (_what, entry, suited) => {
  expect(suits(a10g, entry)).toBe(suited);
});

test("a job without GPUs takes any type, whatever it says about models", () => {
  const entry = anEntry({ needs: { vcpus: 1, memoryGiB: 1, gpus: 0 }, gpu: { memoryGiB: 80, models: ["H100"] } });
  expect(suits(cpuOnly, entry)).toBe(true);
  expect(suits(a10g, entry)).toBe(true);
});

test("a job with GPUs takes no type without", () => {
  expect(suits(cpuOnly, wantsGpu({}))).toBe(false);
});

test("a node that suits but is full does not hold it", () => {
  expect(holds(a10g, a10g.resources, anEntry())).toBe(true);
  expect(holds(a10g, { ...a10g.resources, gpus: 0 }, anEntry())).toBe(false);
});

test("only on-demand will do for a job that refuses spot", () => {
  expect(mayBuy(anOffer({ market: "spot" }), anEntry({ spot: false }))).toBe(false);
  expect(mayBuy(anOffer({ market: "on-demand" }), anEntry({ spot: false }))).toBe(true);
  expect(mayBuy(anOffer({ market: "spot" }), anEntry({ spot: true }))).toBe(true);
});
