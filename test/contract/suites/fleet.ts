import { describe, expect, test } from "vitest";
import type { Launch, LaunchOutcome, OfferRefusal } from "../../../lib/model/launch.ts";
import type { Offer, OfferRef } from "../../../lib/model/offer.ts";
import type { Fleet } from "../../../lib/ports/fleet.ts";
import { aLaunch } from "../../fakes/builders.ts";

/** EC2 and the means to make it misbehave. */
export type FleetStage = {
  readonly fleet: Fleet;
  /** At least two, spot, that EC2 has. */
  readonly offers: readonly Offer[];
  /** Has so many of an offer, and no more. */
  has(offer: OfferRef, count: number): void;
  /** Refuses an offer from now on with this code. */
  refuse(offer: OfferRef, code: string): void;
  /** The next launch happens, and its answer is lost. */
  loseNextLaunch(): void;
  /** The next launch is refused for its rate, and does not happen. */
  throttleNextLaunch(): void;
  /** The next call of that kind is refused for its rate, and does not happen. */
  throttleNext(what: "terminate" | "look"): void;
  /** Instances that are neither over nor ending. */
  live(): readonly string[];
  /** EC2 does not know this instance any more. */
  forget(instance: string): Promise<void>;
};

let count = 0;
/** A launch of one of these offers, with a token of its own. */
const launchOf = (offers: readonly Offer[], over: Partial<Launch> = {}): Launch => {
  const id = `launch-${process.pid}-${++count}`;
  return aLaunch({ id, clientToken: id, offers, ...over });
};

/** A refusal of each of these offers, in whatever order. */
const everyOf = (offers: readonly OfferRef[], said: Partial<OfferRefusal>) => {
  const each = offers.map(({ instanceType, zone, market }) => expect.objectContaining({ instanceType, zone, market, ...said }));
  return expect.toSatisfy((refusals: readonly OfferRefusal[]) => {
    expect(refusals).toHaveLength(each.length);
    expect(refusals).toEqual(expect.arrayContaining(each));
    return true;
  });
};

const only = (outcome: LaunchOutcome): string => {
  const [instance, ...others] = outcome.kind === "launched" ? outcome.instances : [];
  expect(outcome.kind).toBe("launched");
  expect(others).toEqual([]);
  return instance?.id ?? "";
};

export function fleetContract(name: string, make: () => Promise<FleetStage>): void {
  describe(`fleet: ${name}`, () => {
    test("a launch is one instance, of one of its offers", async () => {
      const { fleet, offers, live } = await make();
      const outcome = await fleet.launch(launchOf(offers));
      const id = only(outcome);
      expect(id).toMatch(/^i-[0-9a-f]{17}$/);
      expect(live()).toEqual([id]);
      const [given] = outcome.kind === "launched" ? outcome.instances : [];
      expect(offers.map(({ instanceType, zone }) => ({ instanceType, zone }))).toContainEqual({
        instanceType: given?.instanceType,
        zone: given?.zone,
      });
    });

    test("the identical launch again is the same instance; another launch is another", async () => {
      const { fleet, offers, live } = await make();
      const launch = launchOf(offers);
      const id = only(await fleet.launch(launch));
      expect(only(await fleet.launch(launch))).toBe(id);
      expect(only(await fleet.launch(launchOf(offers)))).not.toBe(id);
      expect(live().length).toBe(2);
    });

    test("a gang's nodes are as many as asked for, of one offer, and the same when asked for again", async () => {
      const { fleet, offers, live } = await make();
      const launch = launchOf(offers, { count: 3, whole: true });
      const outcome = await fleet.launch(launch);
      const given = outcome.kind === "launched" ? outcome.instances : [];
      expect(new Set(given.map(({ id }) => id)).size).toBe(3);
      expect(new Set(given.map(({ instanceType, zone }) => `${instanceType}/${zone}`)).size).toBe(1);
      expect([...live()].sort()).toEqual(given.map(({ id }) => id).sort());
      const again = await fleet.launch(launch);
      expect(again.kind === "launched" && again.instances.map(({ id }) => id).sort()).toEqual(given.map(({ id }) => id).sort());
      expect(live().length).toBe(3);
    });

    test("a gang without capacity is refused, and nothing of it is launched", async () => {
      const stage = await make();
      const code = "InsufficientInstanceCapacity";
      for (const offer of stage.offers) stage.refuse(offer, code);
      expect(await stage.fleet.launch(launchOf(stage.offers, { count: 3, whole: true }))).toMatchObject({
        kind: "refused",
        code,
        refusals: everyOf(stage.offers, { code, why: "capacity" }),
      });
      expect(stage.live()).toEqual([]);
    });

    test("both at once are one, too", async () => {
      const { fleet, offers, live } = await make();
      const launch = launchOf(offers);
      const ids = (await Promise.all([1, 2, 3].map(() => fleet.launch(launch)))).map(only);
      expect(new Set(ids).size).toBe(1);
      expect(live().length).toBe(1);
    });

    test("an answer that was lost is unknown, and asking again finds what it launched", async () => {
      const stage = await make();
      const launch = launchOf(stage.offers);
      stage.loseNextLaunch();
      expect((await stage.fleet.launch(launch)).kind).toBe("unknown");
      expect(stage.live().length).toBe(1);
      expect(only(await stage.fleet.launch(launch))).toBe(stage.live()[0]);
      expect(stage.live().length).toBe(1);
    });

    test("throttling launches nothing and says so, and asking again launches", async () => {
      const stage = await make();
      const launch = launchOf(stage.offers);
      stage.throttleNextLaunch();
      expect((await stage.fleet.launch(launch)).kind).toBe("throttled");
      expect(stage.live()).toEqual([]);
      only(await stage.fleet.launch(launch));
    });

    test("a fleet that EC2 throttles by itself launches nothing, for good, and blames no offer", async () => {
      const stage = await make();
      const launch = launchOf(stage.offers);
      for (const offer of stage.offers) stage.refuse(offer, "RequestLimitExceeded");
      expect(await stage.fleet.launch(launch)).toMatchObject({ kind: "throttled", final: true });
      expect(await stage.fleet.launch(launch)).toMatchObject({ kind: "throttled", final: true });
      expect(stage.live()).toEqual([]);
    });

    test("what only the fleet's own throttling kept away is held against no offer", async () => {
      const stage = await make();
      const [first, second, ...others] = stage.offers;
      if (first === undefined || second === undefined) throw new Error("no offers");
      stage.refuse(first, "RequestLimitExceeded");
      for (const offer of others) stage.refuse(offer, "InsufficientInstanceCapacity");
      stage.refuse(second, "InsufficientInstanceCapacity");
      const outcome = await stage.fleet.launch(launchOf(stage.offers));
      expect(outcome).toMatchObject({ kind: "refused", code: "InsufficientInstanceCapacity" });
      expect(outcome.kind === "refused" && outcome.refusals.map(({ zone }) => zone)).not.toContain(first.zone);
    });

    test("without capacity for one offer it is another", async () => {
      const stage = await make();
      const [first, ...others] = stage.offers;
      if (first === undefined) throw new Error("no offers");
      stage.refuse(first, "InsufficientInstanceCapacity");
      const outcome = await stage.fleet.launch(launchOf(stage.offers));
      only(outcome);
      const [given] = outcome.kind === "launched" ? outcome.instances : [];
      expect(others.map(({ instanceType, zone }) => `${instanceType}/${zone}`)).toContain(`${given?.instanceType}/${given?.zone}`);
    });

    test.each(["InsufficientInstanceCapacity", "UnfulfillableCapacity"])(
      "%s everywhere is a refusal for want of capacity",
      async (code) => {
        const stage = await make();
        for (const offer of stage.offers) stage.refuse(offer, code);
        const refusals = everyOf(stage.offers, { code, why: "capacity" });
        expect(await stage.fleet.launch(launchOf(stage.offers))).toMatchObject({ kind: "refused", code, refusals });
        expect(stage.live()).toEqual([]);
      },
    );

    test.each(["MaxSpotInstanceCountExceeded", "VcpuLimitExceeded"])(
      "%s everywhere is a refusal for a limit of the account",
      async (code) => {
        const stage = await make();
        for (const offer of stage.offers) stage.refuse(offer, code);
        const refusals = everyOf(stage.offers, { code, why: "limit" });
        expect(await stage.fleet.launch(launchOf(stage.offers))).toMatchObject({ kind: "refused", code, refusals });
      },
    );

    test("a code that nobody knows is a refusal that says nothing of the offer's capacity", async () => {
      const stage = await make();
      for (const offer of stage.offers) stage.refuse(offer, "MoonInTheWrongHouse");
      const refusals = everyOf(stage.offers, { code: "MoonInTheWrongHouse", why: "fault" });
      expect(await stage.fleet.launch(launchOf(stage.offers))).toMatchObject({ kind: "refused", code: "MoonInTheWrongHouse", refusals });
    });

    test("as many as asked for come of any of the offers, and nobody is to blame", async () => {
      const { fleet, offers, live } = await make();
      const launch = launchOf(offers, { count: 5 });
      const outcome = await fleet.launch(launch);
      expect(outcome).toMatchObject({ kind: "launched", refusals: [] });
      const ids = outcome.kind === "launched" ? outcome.instances.map(({ id }) => id).sort() : [];
      expect([...live()].sort()).toEqual(ids);
      expect(new Set(ids).size).toBe(5);
      const again = await fleet.launch(launch);
      expect(again.kind === "launched" && again.instances.map(({ id }) => id).sort()).toEqual(ids);
      expect(live()).toHaveLength(5);
    });

    test("what came is kept though it is fewer than asked for, and each offer that gave too little is named", async () => {
      const stage = await make();
      const [first, second] = stage.offers;
      if (!first || !second) throw new Error("no offers");
      stage.has(first, 2);
      stage.has(second, 1);
      const launch = launchOf([first, second], { count: 5 });
      const outcome = await stage.fleet.launch(launch);
      expect(outcome).toMatchObject({ kind: "launched", refusals: everyOf([first, second], { why: "capacity" }) });
      const given = outcome.kind === "launched" ? outcome.instances : [];
      expect(given.map(({ zone }) => zone).sort()).toEqual([first.zone, first.zone, second.zone].sort());
      expect(await stage.fleet.launch(launch)).toEqual(outcome);
      expect(stage.live()).toHaveLength(3);
      expect(await stage.fleet.launch(launchOf([first, second], { count: 2 }))).toMatchObject({ kind: "refused" });
    });

    test("of a whole launch for which there is not enough of one offer, nothing comes", async () => {
      const stage = await make();
      const [first, second] = stage.offers;
      if (!first || !second) throw new Error("no offers");
      stage.has(first, 2);
      stage.has(second, 3);
      const refused = await stage.fleet.launch(launchOf([first, second], { count: 4, whole: true }));
      expect(refused).toMatchObject({ kind: "refused", refusals: everyOf([first, second], { why: "capacity" }) });
      expect(stage.live()).toEqual([]);
      const whole = await stage.fleet.launch(launchOf([first, second], { count: 3, whole: true }));
      expect(whole.kind === "launched" && new Set(whole.instances.map(({ zone }) => zone))).toEqual(new Set([second.zone]));
    });

    test("a token that comes back with other offers is turned away, and launches nothing more", async () => {
      const { fleet, offers, live } = await make();
      const launch = launchOf(offers);
      const id = only(await fleet.launch(launch));
      expect(await fleet.launch({ ...launch, offers: offers.slice(1) })).toMatchObject({
        kind: "turned-away",
        code: "IdempotentParameterMismatch",
        isConflict: true,
        refusals: everyOf(offers.slice(1), { why: "fault" }),
      });
      expect(live()).toEqual([id]);
    });

    test("what a launch brought is found by its tag, and what is over is said to be; of a launch that brought nothing, nothing", async () => {
      const stage = await make();
      const { fleet, offers, live } = stage;
      const launch = launchOf(offers, { count: 3 });
      const outcome = await fleet.launch(launch);
      only(await fleet.launch(launchOf(offers)));
      const given = (outcome.kind === "launched" ? outcome.instances : []).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const [first] = given;
      await fleet.terminate([first?.id ?? ""]);
      const found = await fleet.find(launch.id);
      expect(found.kind === "read" && found.instances.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
        given.map((instance) => ({ ...instance, over: instance === first })),
      );
      expect(await fleet.find("no-launch")).toEqual({ kind: "read", instances: [] });
      expect(live()).toHaveLength(3);
    });

    test("a token whose launch was refused is turned away with other offers", async () => {
      const stage = await make();
      const launch = launchOf(stage.offers);
      for (const offer of stage.offers) stage.refuse(offer, "InsufficientInstanceCapacity");
      await stage.fleet.launch(launch);
      expect(await stage.fleet.launch({ ...launch, offers: stage.offers.slice(1) })).toMatchObject({
        kind: "turned-away",
        code: "IdempotentParameterMismatch",
        refusals: everyOf(stage.offers.slice(1), { why: "fault" }),
      });
    });

    test("an instance lives until it is terminated; ending it again, or one that EC2 does not know, is accepted", async () => {
      const stage = await make();
      const id = only(await stage.fleet.launch(launchOf(stage.offers)));
      const look = async () => (await stage.fleet.look([id])).get(id);
      const terminate = async () => (await stage.fleet.terminate([id])).get(id);
      expect(await look()).toBe("live");
      expect(await terminate()).toBe("accepted");
      expect(await look()).toBe("over");
      expect(stage.live()).toEqual([]);
      expect(await terminate()).toBe("accepted");
      await stage.forget(id);
      expect(await look()).toBe("over");
      expect(await terminate()).toBe("accepted");
    });

    test("many are looked at and ended in one call, and one that EC2 does not know is told apart from the others", async () => {
      const stage = await make();
      const outcome = await stage.fleet.launch(launchOf(stage.offers, { count: 3 }));
      const ids = outcome.kind === "launched" ? outcome.instances.map((one) => one.id) : [];
      const [gone = "", first = "", second = ""] = ids;
      await stage.forget(gone);
      expect(await stage.fleet.look(ids)).toEqual(
        new Map([
          [gone, "over"],
          [first, "live"],
          [second, "live"],
        ]),
      );
      expect(await stage.fleet.terminate(ids)).toEqual(
        new Map([
          [gone, "accepted"],
          [first, "apart"],
          [second, "apart"],
        ]),
      );
      expect([...stage.live()].sort()).toEqual([first, second].sort());
      expect(await stage.fleet.terminate([first, second])).toEqual(
        new Map([
          [first, "accepted"],
          [second, "accepted"],
        ]),
      );
      expect(stage.live()).toEqual([]);
    });

    test("throttling ends nothing and says so for each", async () => {
      const stage = await make();
      const id = only(await stage.fleet.launch(launchOf(stage.offers)));
      stage.throttleNext("terminate");
      stage.throttleNext("look");
      expect(await stage.fleet.terminate([id])).toEqual(new Map([[id, "throttled"]]));
      expect(await stage.fleet.look([id])).toEqual(new Map([[id, "throttled"]]));
      expect(stage.live()).toEqual([id]);
    });
  });
}
