import { expect, it } from "vitest";
import { type AllocationRule, allocate, type Candidate } from "../../../lib/local/ec2/offers/allocation.ts";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";

const candidate = (name: string, change: Partial<Candidate<string>> = {}): Candidate<string> => {
  const [instanceType = "", zone = ""] = name.split("/");
  return { of: name, offer: { instanceType, zone, market: "spot" }, usdPerHour: 1, priority: 0, weight: 1, room: 10, ...change };
};
const rule = (change: Partial<AllocationRule> = {}): AllocationRule => ({
  target: 1,
  prioritized: false,
  singleInstanceType: false,
  singleAvailabilityZone: false,
  minimum: 0,
  ...change,
});
const given = (result: ReturnType<typeof allocate<string>>) => result.allocations.map((one) => [one.candidate.of, one.count]);

it("allocate takes the cheapest candidate first and the next one where it runs short", () => {
  const result = allocate(
    [candidate("b/z1", { usdPerHour: 2 }), candidate("a/z1", { room: 2 }), candidate("c/z1", { usdPerHour: 3 })],
    rule({ target: 4 }),
  );
  expect(given(result)).toEqual([
    ["a/z1", 2],
    ["b/z1", 2],
  ]);
  expect(result.short.map((one) => one.of)).toEqual(["a/z1"]);
});

it("allocate compares prices per weight and fills the target by weight", () => {
  expect(given(allocate([candidate("small/z"), candidate("big/z", { usdPerHour: 3, weight: 4 })], rule({ target: 6 })))).toEqual([
    ["big/z", 2],
  ]);
});

it("allocate tries candidates by priority if the strategy is prioritized", () => {
  const both = [candidate("dear/z", { usdPerHour: 9, priority: 1 }), candidate("cheap/z", { priority: 2 })];
  expect(given(allocate(both, rule({ prioritized: true })))).toEqual([["dear/z", 1]]);
});

it("allocate stays within one type and one zone if required, and chooses the group that fills most", () => {
  const all = [candidate("a/z1", { room: 1 }), candidate("a/z2", { room: 1 }), candidate("b/z1", { usdPerHour: 2, room: 2 })];
  const single = { singleInstanceType: true, singleAvailabilityZone: true };
  expect(given(allocate(all, rule({ target: 2, ...single })))).toEqual([["b/z1", 2]]);
  expect(given(allocate(all, rule({ target: 2, singleInstanceType: true })))).toEqual([
    ["a/z1", 1],
    ["a/z2", 1],
  ]);
  expect(allocate(all, rule({ target: 3, minimum: 3, ...single }))).toMatchObject({ allocations: [], short: all });
});

it("allocate reports all candidates as short if none has room", () => {
  expect(allocate([candidate("a/z", { room: 0 })], rule())).toMatchObject({ allocations: [], short: [{ of: "a/z" }] });
  expect(allocate([], rule())).toEqual({ allocations: [], short: [] });
});

it("capacity is taken only once, and is available again after it is given back", () => {
  const capacity = createCapacity({ "a/*/spot": 2 });
  const offer = { instanceType: "a", zone: "z", market: "spot" } as const;
  expect([capacity.take(offer, 5), capacity.take(offer, 1), capacity.room(offer)]).toEqual([2, 0, 0]);
  capacity.giveBack(offer, 1);
  expect(capacity.room(offer)).toBe(1);
  capacity.limit("a/z/spot", 10);
  expect(capacity.room(offer)).toBe(9);
  expect(capacity.room({ ...offer, market: "on-demand" })).toBe(Number.POSITIVE_INFINITY);
});

it("capacity refuses matching offers until the refusal is lifted", () => {
  const capacity = createCapacity({});
  const lift = capacity.refuse({ zone: "z" }, "Unsupported");
  expect(capacity.refusal({ instanceType: "a", zone: "z", market: "spot" })).toBe("Unsupported");
  expect(capacity.refusal({ instanceType: "a", zone: "y", market: "spot" })).toBeUndefined();
  lift();
  expect(capacity.refusal({ instanceType: "a", zone: "z", market: "spot" })).toBeUndefined();
});
