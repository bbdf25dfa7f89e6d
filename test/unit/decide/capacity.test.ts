import { describe, expect, test } from "vitest";
import { capacityView } from "../../../lib/decide/capacity/capacity-view.ts";
import { given, halfOpenProbe, refusedAgain, statusOf } from "../../../lib/decide/capacity/cooldown.ts";
import { quotaOf } from "../../../lib/decide/capacity/quotas.ts";
import { refusalUpdatesOf } from "../../../lib/decide/capacity/refusal-updates.ts";
import type { OfferRefusal } from "../../../lib/model/launch.ts";
import { type Refusal, type Refused, type Subject, subjectName } from "../../../lib/model/refusal.ts";
import { aLaunch, anOffer, aRefusal, aType, monday } from "../../fakes/builders.ts";

const minute = 60_000;
const hour = 60 * minute;
const { instanceType, zone, market } = anOffer();
const offer = { instanceType, zone, market } as const;
const refused = (over: Partial<Refused> = {}): Refused => ({
  subject: { why: "capacity", ...offer },
  code: "InsufficientInstanceCapacity",
  least: 1,
  launch: "a",
  ...over,
});
/** Returns a refusal that was repeated at these moments, each time by another launch. */
const refusedAt = (moments: readonly number[], over: Partial<Refused> = {}): Refusal => {
  const last = moments.reduce<Refusal | undefined>(
    (known, at, n) => refusedAgain(known, refused({ launch: `launch-${n}`, ...over }), monday + at),
    undefined,
  );
  if (!last) throw new Error("refused at no moment");
  return last;
};
const restOf = ({ atMs, untilMs }: Refusal): number => (untilMs - atMs) / minute;

describe("a refusal", () => {
  test("a refused offer rests for two minutes and until rests end, may then be tried, and is forgotten after an hour", () => {
    const once = refusedAt([0]);
    expect(restOf(once)).toBeGreaterThan(1.7);
    expect(restOf(once)).toBeLessThan(6.3);
    expect(once.untilMs % (4 * minute)).toBe(0);
    expect(statusOf(once, once.untilMs - 1)).toBe("cooling-down");
    expect(statusOf(once, once.untilMs)).toBe("half-open");
    expect(statusOf(once, monday + hour)).toBe("half-open");
    expect(statusOf(once, monday + hour + 1)).toBe("free");
  });

  test("an offer that is refused repeatedly rests twice as long each time, but never much longer than eight minutes, and until rests end", () => {
    const rests = [1, 2, 3, 4, 5, 9].map((times) => restOf(refusedAt(Array.from({ length: times }, () => 0))));
    for (const [n, most] of [2, 4, 8, 8, 8, 8].entries()) {
      expect(rests[n]).toBeGreaterThanOrEqual(most * 0.85);
      expect(rests[n]).toBeLessThanOrEqual(most * 1.15 + 4);
    }
  });

  test("an offer that is refused for hours rests no longer than that, and its record says since when", () => {
    let known = refusedAt([0]);
    for (let n = 1; n < 40; n += 1) known = refusedAgain(known, refused({ launch: `${n}` }), known.untilMs);
    expect(restOf(known)).toBeGreaterThan(6.8);
    expect(restOf(known)).toBeLessThan(13.3);
    expect(known.sinceMs).toBe(monday);
  });

  test("an offer that was often refused long ago rests like the first time", () => {
    const often = refusedAt([0, 0, 0, 0]);
    const later = refusedAgain(often, refused({ launch: "later" }), monday + 9 * hour);
    expect(later).toMatchObject({ evidence: 1, sinceMs: monday + 9 * hour });
  });

  test("a response that is read twice changes nothing", () => {
    const once = refusedAt([0]);
    expect(refusedAgain(once, refused({ launch: once.launch }), monday + hour)).toBe(once);
  });

  test("an offer that was refused for several nodes may be requested for fewer, until that is refused too", () => {
    const four = refusedAt([0], { least: 4 });
    expect(four.least).toBe(4);
    expect(refusedAgain(four, refused({ least: 2, launch: "b" }), monday + 1).least).toBe(2);
    expect(refusedAgain(refusedAt([0]), refused({ least: 3, launch: "b" }), monday + 1).least).toBe(1);
  });

  test("a refusal is forgotten when as much was given as had been refused, but not when less was", () => {
    const four = refusedAt([0], { least: 4 });
    expect(given(four, 4)).toBeUndefined();
    expect(given(four, 3)).toBe(four);
    expect(given(undefined, 1)).toBeUndefined();
  });

  test("one launch may try an offer after its rest, which rests for the others for a minute", () => {
    const halfOpen = refusedAt([0]);
    expect(halfOpenProbe(halfOpen, halfOpen.untilMs - 1)).toBeUndefined();
    const mine = halfOpenProbe(halfOpen, halfOpen.untilMs + 5);
    expect(mine).toMatchObject({ evidence: 1, untilMs: halfOpen.untilMs + 5 + minute });
    expect(mine && halfOpenProbe(mine, halfOpen.untilMs + 6)).toBeUndefined();
    expect(halfOpenProbe(halfOpen, monday + 2 * hour)).toBeUndefined();
  });

  test.each(["limit", "fault"] as const)("a refusal for a %s rests by a rule of its own", (why) => {
    const subject: Subject = why === "limit" ? { why, region: "us-east-1", market: "spot", quota: "q" } : { why, pool: "gpu", ...offer };
    const rests = [1, 2, 9].map((times) =>
      restOf(
        refusedAt(
          Array.from({ length: times }, () => 0),
          { subject },
        ),
      ),
    );
    const expected = why === "limit" ? [5, 10, 20] : [0.5, 1, 5];
    for (const [n, minutes] of expected.entries()) expect(Math.abs((rests[n] ?? 0) / minutes - 1)).toBeLessThanOrEqual(0.15);
  });
});

describe("a clock that jumps", () => {
  test("a clock that jumps back by hours does not make a rest last for hours", () => {
    expect(statusOf(refusedAt([0]), monday - 5 * hour)).toBe("half-open");
    expect(statusOf(refusedAt([0, 0, 0, 0, 0, 0]), monday)).toBe("cooling-down");
  });

  test("a clock that jumps back keeps the evidence, and one that jumps ahead forgets it", () => {
    const back = refusedAgain(refusedAt([0, 0]), refused({ launch: "back" }), monday - hour);
    expect(back).toMatchObject({ evidence: 3, atMs: monday - hour, sinceMs: monday - hour });
    expect(statusOf(refusedAt([0, 0]), monday + 1e12)).toBe("free");
  });
});

describe("what a launch teaches", () => {
  const types = [aType(), aType({ name: "g5.12xlarge", resources: { vcpus: 47.8, memoryGiB: 176, gpus: 4 } })];
  const large = { instanceType: "g5.12xlarge", zone, market } as const;
  const launch = aLaunch({ types, offers: [anOffer(), anOffer({ instanceType: "g5.12xlarge" })], count: 3 });
  const refusalOf = (of: object, why: OfferRefusal["why"], code = "c"): OfferRefusal => ({ ...offer, ...of, why, code });
  const taught = (outcome: Parameters<typeof refusalUpdatesOf>[1], known: Refusal | undefined = undefined, of = launch) =>
    new Map(refusalUpdatesOf(of, outcome, monday).map(({ subject, next }) => [subjectName(subject), next(known)]));
  const refusal = (...refusals: OfferRefusal[]) => ({ kind: "refused", code: "c", message: "m", refusals }) as const;
  const launched = (shape: object, ...refusals: OfferRefusal[]) =>
    ({ kind: "launched", instances: [{ id: "i-1", instanceType, zone, ...shape }], refusals }) as const;

  test("a launch teaches about each offer that was refused, and nothing about those that were not tried", () => {
    expect([...taught(refusal(refusalOf({}, "capacity"))).keys()]).toEqual(["capacity g5.xlarge/us-east-1a/spot"]);
  });

  test("what a launch teaches is in the order of its subjects' names, whatever the order in which EC2 listed its refusals", () => {
    const refusals = [refusalOf({}, "capacity"), refusalOf(large, "capacity"), refusalOf({}, "limit")];
    const names = [...taught(refusal(...refusals)).keys()];
    expect(names).toHaveLength(3);
    expect(names).toEqual(names.toSorted());
    expect([...taught(refusal(...refusals.toReversed())).keys()]).toEqual(names);
  });

  test("each region has quotas of its own, for what is learned and for what rests", () => {
    const updates = refusalUpdatesOf(launch, refusal(refusalOf({}, "limit")), monday);
    const [known] = updates.flatMap(({ next }) => next(undefined) ?? []);
    expect(known).toMatchObject({ why: "limit", region: "us-east-1" });
    const view = capacityView(known ? [known] : [], monday);
    const status = (there: string) => view.status({ offer: anOffer({ zone: there }), type: aType(), count: 1 });
    expect([status("us-east-1a"), status("us-east-1f"), status("us-east-1-bos-1a"), status("eu-west-1a")]).toEqual([
      "cooling-down",
      "cooling-down",
      "cooling-down",
      "free",
    ]);
  });

  test("a launch causes one update about a quota for all its types, with the least vCPUs that were refused", () => {
    const updates = taught(refusal(refusalOf(large, "limit"), refusalOf({}, "limit")));
    expect([...updates]).toMatchObject([
      ["limit us-east-1/spot/All G and VT Spot Instance Requests", { least: 4, why: "limit", code: "c" }],
    ]);
    const whole = taught(refusal(refusalOf({}, "limit")), undefined, { ...launch, whole: true });
    expect([...whole.values()]).toMatchObject([{ least: 12 }]);
  });

  test("a refused gang shows that so many nodes are not available together", () => {
    expect([...taught(refusal(refusalOf({}, "capacity")), undefined, { ...launch, whole: true }).values()]).toMatchObject([{ least: 3 }]);
    expect([...taught(refusal(refusalOf({}, "capacity"))).values()]).toMatchObject([{ least: 1 }]);
  });

  test("a fault teaches only about the pool that made the request", () => {
    expect([...taught(refusal(refusalOf({}, "fault", "MoonInTheWrongHouse"))).values()]).toMatchObject([
      { why: "fault", pool: "gpu", code: "MoonInTheWrongHouse" },
    ]);
  });

  test("a successful launch clears refusals of its capacity, its quota and its pool", () => {
    const updates = taught(launched({}), aRefusal());
    expect([...updates]).toEqual([
      ["capacity g5.xlarge/us-east-1a/spot", undefined],
      ["fault gpu/g5.xlarge/us-east-1a/spot", undefined],
      ["limit us-east-1/spot/All G and VT Spot Instance Requests", undefined],
    ]);
  });

  test("an offer that gave only some nodes rests like one that was refused for the first time", () => {
    const known = refusedAt([-minute, -minute, -minute]);
    const update = taught(launched({}, refusalOf({}, "capacity")), known).get("capacity g5.xlarge/us-east-1a/spot");
    expect(update).toMatchObject({ evidence: 1, launch: launch.id });
    expect(taught(launched({}, refusalOf({}, "capacity")), update).get("capacity g5.xlarge/us-east-1a/spot")).toBe(update);
  });
});

test.each([
  ["g5.xlarge", "spot", "All G and VT Spot Instance Requests"],
  ["vt1.3xlarge", "on-demand", "Running On-Demand G and VT instances"],
  ["p4d.24xlarge", "spot", "All P4, P3 and P2 Spot Instance Requests"],
  ["p5.48xlarge", "spot", "All P5 Spot Instance Requests"],
  ["p6-b200.48xlarge", "spot", "All P Spot Instance Requests"],
  ["p5.48xlarge", "on-demand", "Running On-Demand P instances"],
  ["m7i.large", "on-demand", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"],
  ["is4gen.large", "spot", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests"],
  ["inf2.xlarge", "spot", "All Inf Spot Instance Requests"],
  ["trn1.2xlarge", "on-demand", "Running On-Demand Trn instances"],
  ["t3.micro", "on-demand", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"],
  ["dl1.24xlarge", "spot", "All DL Spot Instance Requests"],
  ["u-6tb1.metal", "on-demand", "Running On-Demand High Memory instances"],
  ["x2idn.metal", "spot", "All X Spot Instance Requests"],
  ["k9.new", "spot", "All k9 Spot Instance Requests"],
] as const)("a node of type %s, %s, counts against the quota %s", (type, of, quota) => {
  expect(quotaOf(type, of)).toBe(quota);
});
