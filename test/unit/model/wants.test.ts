import { expect, test } from "vitest";
import { allows, holds, suits, whyNotAllowed } from "../../../lib/model/wants.ts";
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
])("whether an A10G suits a job that wants %s: %s", (_what, entry, suited) => {
  expect(suits(a10g, entry)).toBe(suited);
});

test("a job without GPUs runs on any type, whatever models it names", () => {
  const entry = anEntry({ needs: { vcpus: 1, memoryGiB: 1, gpus: 0 }, gpu: { memoryGiB: 80, models: ["H100"] } });
  expect(suits(cpuOnly, entry)).toBe(true);
  expect(suits(a10g, entry)).toBe(true);
});

test("a job with GPUs runs on no type without GPUs", () => {
  expect(suits(cpuOnly, wantsGpu({}))).toBe(false);
});

test("a node that suits a job but is full does not hold it", () => {
  expect(holds(a10g, a10g.resources, anEntry())).toBe(true);
  expect(holds(a10g, { ...a10g.resources, gpus: 0 }, anEntry())).toBe(false);
});

test("a job that refuses spot runs only on on-demand capacity", () => {
  expect(allows(anEntry({ spot: false }), anOffer({ market: "spot" }), a10g)).toBe(false);
  expect(allows(anEntry({ spot: false }), anOffer({ market: "on-demand" }), a10g)).toBe(true);
  expect(allows(anEntry({ spot: true }), anOffer({ market: "spot" }), a10g)).toBe(true);
});

test("a job that names zones may run only in those", () => {
  const entry = anEntry({ zones: ["us-east-1b", "us-east-1c"] });
  expect(allows(entry, anOffer({ zone: "us-east-1a" }), a10g)).toBe(false);
  expect(allows(entry, anOffer({ zone: "us-east-1c" }), a10g)).toBe(true);
  expect(allows(anEntry({ zones: [] }), anOffer({ zone: "us-east-1a" }), a10g)).toBe(true);
});

test("a job that may run nowhere gets as its reason what is sold instead and what to change", () => {
  const sold = [
    { offer: anOffer({ zone: "us-east-1b" }), type: a10g },
    { offer: anOffer({ zone: "us-east-1a" }), type: a10g },
  ];
  expect(whyNotAllowed(anEntry({ zones: ["us-east-1z"] }), sold)).toBe('nodes for this job only in us-east-1a, us-east-1b; change "zones"');
  expect(whyNotAllowed(anEntry({ spot: false }), sold)).toBe('spot capacity only; set "spot": true');
  expect(whyNotAllowed(anEntry(), sold)).toBeUndefined();
});
