import { expect, test } from "vitest";
import { choosePool, whyRejected } from "../../../lib/decide/admission/admit.ts";
import { aCatalogue, aPool, aSpec } from "../../fakes/builders.ts";

const gpu = aPool();
const lab = aPool({ name: "lab", teams: ["audio"] });
const has = { pools: [gpu, lab], defaultPool: "gpu" };

test("a job that names no pool goes to the default one", () => {
  expect(choosePool({ team: "vision", spec: aSpec() }, has)).toEqual({ pool: gpu });
});

test("a job goes to the pool that it names", () => {
  expect(choosePool({ team: "audio", spec: aSpec({ pool: "lab" }) }, has)).toEqual({ pool: lab });
});

test.each([
  ["does not exist", "nowhere", "team vision has no pool named nowhere; it can use: gpu"],
  ["belongs to another team, which stays hidden,", "lab", "team vision has no pool named lab; it can use: gpu"],
])("a job is rejected if the pool that it names %s", (_what, pool, rejected) => {
  expect(choosePool({ team: "vision", spec: aSpec({ pool }) }, has)).toEqual({ reason: rejected });
});

test("a job of a team that may use no pool is rejected with that reason", () => {
  expect(choosePool({ team: "vision", spec: aSpec() }, { pools: [lab], defaultPool: "lab" })).toEqual({
    reason: "team vision has no pool named lab; it can use: none",
  });
});

test("a container job is rejected if its pool runs plain programs", () => {
  const plain = aPool({ containers: false });
  expect(whyRejected(aSpec({ image: "pytorch" }), plain, aCatalogue())).toMatch(/runs plain programs, not containers/);
  expect(whyRejected(aSpec({ image: "pytorch" }), aPool({ containers: true }), aCatalogue())).toBeUndefined();
  expect(whyRejected(aSpec(), plain, aCatalogue())).toBeUndefined();
});

test("a container job that could never start is rejected in every pool", () => {
  const pool = aPool({ containers: true });
  const env = { KEY: "-----BEGIN\nKEY-----" };
  expect(whyRejected(aSpec({ image: "pytorch", env }), pool, undefined)).toMatch(/the variable KEY contains a line break/);
  expect(whyRejected(aSpec({ env }), pool, undefined)).toBeUndefined();
});

test("a job that no instance type can hold is rejected once the pool's types are known, and not before", () => {
  const nine = aSpec({ gpus: { count: 9, memoryGiB: 0, models: [] } });
  expect(whyRejected(nine, gpu, aCatalogue())).toBe("no instance type of pool gpu has 9 GPUs; the largest, g5.xlarge, has 1");
  expect(whyRejected(nine, gpu, undefined)).toBeUndefined();
});

test("a job that no offer of today fits is rejected, although one may fit on another day", () => {
  const onDemand = aSpec({ spot: false });
  expect(whyRejected(onDemand, gpu, aCatalogue())).toBe('pool gpu buys spot capacity only; set "spot": true or name another pool');
  expect(whyRejected(aSpec(), aPool({ limits: { usdPerHour: 0.4, gpus: 8 } }), aCatalogue())).toMatch(
    /costs \$0.50\/h and .* is limited to/,
  );
});

test("a job that no budget of the pool will ever pay for is rejected", () => {
  expect(whyRejected(aSpec(), aPool({ budgets: { usdPerDay: 0.4 } }), aCatalogue())).toMatch(
    /costs \$0.50 and the budget .* is \$0.40 a day/,
  );
  expect(whyRejected(aSpec(), aPool({ budgets: { usdPerDay: 0.5 } }), aCatalogue())).toBeUndefined();
});

test("a job that can run is not rejected", () => {
  expect(whyRejected(aSpec(), gpu, aCatalogue())).toBeUndefined();
});
