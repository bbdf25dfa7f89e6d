import { describe, expect, test } from "vitest";
import { whyTooLarge, whyUnsold } from "../../../lib/decide/placement/impossible.ts";
import type { Budgets } from "../../../lib/model/pool.ts";
import { aCatalogue, anEntry, anOffer, aPool, aType } from "../../fakes/builders.ts";

const one = aType();
const eight = aType({ name: "g5.48xlarge", resources: { vcpus: 192, memoryGiB: 768, gpus: 8 } });
const catalogue = aCatalogue({
  types: [one, eight],
  offers: [
    anOffer({ market: "spot", usdPerHour: 0.5 }),
    anOffer({ market: "on-demand", usdPerHour: 1 }),
    anOffer({ instanceType: "g5.48xlarge", market: "spot", usdPerHour: 6 }),
    anOffer({ instanceType: "g5.48xlarge", market: "on-demand", usdPerHour: 16 }),
  ],
});
const wanting = (over: { gpus?: number; vcpus?: number; memoryGiB?: number }) =>
  anEntry({ needs: { vcpus: 2, memoryGiB: 8, gpus: 1, ...over } });

test("a job that some node holds is possible", () => {
  for (const entry of [wanting({}), wanting({ gpus: 8 })]) {
    expect(whyTooLarge(entry, aPool(), catalogue.types)).toBeUndefined();
    expect(whyUnsold(entry, aPool(), catalogue)).toBeUndefined();
  }
});

test.each([
  ["9 GPUs of a type that has 8", wanting({ gpus: 9 }), "no instance type of pool gpu has 9 GPUs; the largest, g5.48xlarge, has 8"],
  [
    "too many vCPUs",
    wanting({ vcpus: 193 }),
    "no fitting instance type of pool gpu has 193 vCPUs available to jobs; the largest, g5.48xlarge, has 192",
  ],
  [
    "too much memory",
    wanting({ memoryGiB: 800 }),
    "no fitting instance type of pool gpu has 800 GiB of memory available to jobs; the largest, g5.48xlarge, has 768 GiB",
  ],
  [
    "a GPU model that the pool does not have",
    anEntry({ gpu: { memoryGiB: 80, models: ["H100", "A100"] } }),
    "no instance type of pool gpu has GPUs of model H100 or A100 with 80 GiB; it has A10G (24 GiB)",
  ],
])("a job is too large for its pool if it needs %s", (_what, entry, why) => {
  expect(whyTooLarge(entry, aPool(), catalogue.types)).toBe(why);
});

test("a job is too large for its pool if no single type has all that it needs together", () => {
  const wide = aType({ name: "g5.wide", resources: { vcpus: 64, memoryGiB: 16, gpus: 1 } });
  const tall = aType({ name: "g5.tall", resources: { vcpus: 4, memoryGiB: 512, gpus: 1 } });
  expect(whyTooLarge(wanting({ vcpus: 32, memoryGiB: 256 }), aPool(), [wide, tall])).toBe(
    "no single instance type of pool gpu has 1 GPU, 32 vCPUs and 256 GiB together",
  );
});

test("a job that needs GPUs is too large for a pool without any", () => {
  const cpu = aType({ gpu: undefined, resources: { vcpus: 8, memoryGiB: 32, gpus: 0 } });
  expect(whyTooLarge(wanting({}), aPool(), [cpu])).toBe("no instance type of pool gpu has GPUs; it has no GPUs");
});

test("a job that a type could hold is not too large, whatever can be bought today", () => {
  const poor = aPool({ limits: { usdPerHour: 0, gpus: 0 }, markets: [] });
  expect(whyTooLarge(wanting({ gpus: 8 }), poor, catalogue.types)).toBeUndefined();
  expect(whyUnsold(wanting({ gpus: 8 }), poor, catalogue)).toBeDefined();
});

test("a job that refuses spot cannot be bought for in a pool that buys spot only", () => {
  const spotOnly = { ...catalogue, offers: catalogue.offers.filter((offer) => offer.market === "spot") };
  expect(whyUnsold(anEntry({ spot: false }), aPool(), spotOnly)).toBe(
    'pool gpu buys spot capacity only; set "spot": true or name another pool',
  );
});

test("the reason why nothing is sold names the limit if a job needs more GPUs than the pool may have", () => {
  expect(whyUnsold(wanting({ gpus: 5 }), aPool({ limits: { usdPerHour: 100, gpus: 4 } }), catalogue)).toBe(
    "the job needs 5 GPUs and pool gpu is limited to 4",
  );
});

test("the reason why nothing is sold names the limit if the cheapest node costs more than the pool may", () => {
  expect(whyUnsold(wanting({ gpus: 5 }), aPool({ limits: { usdPerHour: 5, gpus: 8 } }), catalogue)).toBe(
    "the cheapest node that fits, g5.48xlarge, costs $6/h and pool gpu is limited to $5/h",
  );
});

test("the reason why nothing is sold names the GPUs if all nodes for sale have more GPUs than the pool may", () => {
  expect(whyUnsold(wanting({ vcpus: 100 }), aPool({ limits: { usdPerHour: 100, gpus: 4 } }), catalogue)).toBe(
    "no node that fits is within the limits of pool gpu: the cheapest, g5.48xlarge, has 8 GPUs and costs $6/h; the pool is limited to 4 GPUs and $100/h",
  );
});

test("the reason why nothing is sold names both limits if no node is within dollars and GPUs together", () => {
  const few = aType({ name: "g5.dear", resources: { vcpus: 128, memoryGiB: 256, gpus: 1 } });
  const dear = anOffer({ instanceType: "g5.dear", market: "on-demand", usdPerHour: 50 });
  const both = { ...catalogue, types: [eight, few], offers: [...catalogue.offers, dear] };
  expect(whyUnsold(wanting({ vcpus: 100 }), aPool({ limits: { usdPerHour: 20, gpus: 4 } }), both)).toBeDefined();
});

test("the reason why nothing is sold does not suggest spot to a job that already accepts it", () => {
  expect(whyUnsold(wanting({}), aPool(), { ...catalogue, offers: [] })).toBe(
    "EC2 sells no instance type that fits in the zones and markets of pool gpu; name another pool",
  );
});

test("the reason why nothing is sold does not depend on the order of the offers", () => {
  const twins = [anOffer({ zone: "us-east-1a", usdPerHour: 7 }), anOffer({ instanceType: "g5.48xlarge", usdPerHour: 7 })];
  const poor = aPool({ limits: { usdPerHour: 1, gpus: 8 } });
  expect(whyUnsold(anEntry(), poor, { ...catalogue, offers: twins })).toBe(
    whyUnsold(anEntry(), poor, { ...catalogue, offers: twins.toReversed() }),
  );
});

test("no job is too large while no type is known", () => {
  expect(whyTooLarge(wanting({}), aPool(), [])).toBeUndefined();
});

describe("a budget that never pays for an hour of a node that fits", () => {
  const rich = { limits: { usdPerHour: 100, gpus: 8 } };
  const why = (budgets: Budgets, gpus = 8) => whyUnsold(wanting({ gpus }), aPool({ ...rich, budgets }), catalogue);

  test("the reason why nothing is sold names the price and the budget that never pays for it", () => {
    expect(why({ usdPerDay: 5 })).toBe(
      "an hour of the cheapest node that fits, g5.48xlarge, costs $6 and the budget of pool gpu is $5 a day",
    );
    expect(why({ usdPerDay: 50, usdPerMonth: 5.5 })).toMatch(/costs \$6 and the budget of pool gpu is \$5.50 a month/);
    expect(why({ usdPerMonth: 0 }, 1)).toMatch(/g5.xlarge, costs \$0.50 and the budget of pool gpu is \$0 a month/);
  });

  test("there is no reason if the budget pays for an hour, or there is no budget", () => {
    expect([why({ usdPerDay: 6, usdPerMonth: 6 }), why({ usdPerDay: 0.5 }, 1), why({})]).toEqual([undefined, undefined, undefined]);
  });
});
