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
  const eight = aSpec({ gpus: { count: 8, memoryGiB: 0, models: [] } });
  expect(whyRejected(eight, gpu, aCatalogue())).toBe("no instance type of pool gpu has 8 GPUs; the largest, g5.xlarge, has 1");
  expect(whyRejected(eight, gpu, undefined)).toBeUndefined();
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

test("a job that its pool's configuration excludes is rejected before prices are known, with what to change", () => {
  const before = (spec: Parameters<typeof aSpec>[0], pool: Parameters<typeof aPool>[0]) => whyRejected(aSpec(spec), aPool(pool), undefined);
  const spotOnly = { markets: ["spot"] } as const;
  expect(before({ spot: false }, spotOnly)).toBe('pool gpu buys spot capacity only; set "spot": true or name another pool');
  expect(before({ spot: false }, { markets: ["spot", "on-demand"] })).toBeUndefined();
  expect(before({ spot: true }, spotOnly)).toBeUndefined();
  expect(before({ spot: true }, { markets: ["on-demand"] })).toBeUndefined();
  const two = { gpus: { count: 2, memoryGiB: 0, models: [] } };
  expect(before(two, { limits: { usdPerHour: 9, gpus: 1 } })).toBe("the job needs 2 GPUs and pool gpu is limited to 1");
  expect(before({ ...two, nodes: 3 }, { limits: { usdPerHour: 9, gpus: 5 } })).toBe(
    "the gang needs 6 GPUs on 3 nodes and pool gpu is limited to 5",
  );
  expect(before({ ...two, nodes: 3 }, { limits: { usdPerHour: 9, gpus: 6 } })).toBeUndefined();
});

test.each([
  ["limit", { limits: { usdPerHour: 0, gpus: 8 } }],
  ["budget per day", { budgets: { usdPerDay: 0 } }],
  ["budget per month", { budgets: { usdPerDay: 5, usdPerMonth: 0 } }],
])("a job for a pool whose %s is zero is rejected before prices are known", (_what, pool) => {
  expect(whyRejected(aSpec(), aPool(pool), undefined)).toBe(
    "pool gpu may spend nothing, because its limit or a budget of it is $0; name another pool",
  );
});

test("a job none of whose GPU models the catalogue knows is rejected with the models that there are, and not before there is a catalogue", () => {
  const asking = (...models: string[]) => aSpec({ gpus: { count: 1, memoryGiB: 0, models } });
  expect(whyRejected(asking("H900", "B1"), gpu, undefined)).toBeUndefined();
  expect(whyRejected(asking("H900", "B1"), gpu, aCatalogue())).toBe(
    "no instance type of pool gpu has GPUs of model H900 or B1; it has A10G (24 GiB)",
  );
  expect(whyRejected(asking("H900", "a10g"), gpu, aCatalogue())).toBeUndefined();
});

test("a job of a team whose budget in the pool never pays for an hour of a node is rejected", () => {
  const pool = aPool({ teamBudgets: { vision: { usdPerDay: 0.4 } } });
  const why = (team: string, of = pool) => whyRejected(aSpec(), of, aCatalogue(), { team, limits: { teams: {} } });
  expect(why("vision")).toBe(
    "an hour of the cheapest node that fits, g5.xlarge, costs $0.50 and the budget of team vision in pool gpu is $0.40 a day",
  );
  expect(why("audio")).toBeUndefined();
  expect(why("vision", { ...pool, shared: true })).toBeUndefined();
});
