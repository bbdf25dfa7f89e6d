import { describe, expect, test } from "vitest";
import type { Launch, LaunchOutcome, OfferRefusal } from "../../../lib/model/launch.ts";
import type { Offer, OfferRef } from "../../../lib/model/offer.ts";
import type { Fleet } from "../../../lib/ports/fleet.ts";
import { aLaunch } from "../../fakes/builders.ts";

/** An EC2 that can be made to misbehave. */
export type FleetStage = {
  readonly fleet: Fleet;
  /** At least two spot offers that EC2 has. */
  readonly offers: readonly Offer[];
  /** Gives EC2 this many instances of an offer, and no more. */
  has(offer: OfferRef, count: number): void;
  /** Refuses an offer from now on with this code. */
  refuse(offer: OfferRef, code: string): void;
  /** Loses the response to the next launch, which happens. */
  loseNextLaunch(): void;
  /** Throttles the next launch, which does not happen. */
  throttleNextLaunch(): void;
  /** Throttles the next call of that kind, which does not happen. */
  throttleNext(what: "terminate" | "look"): void;
  /** Returns the instances that have neither ended nor are ending. */
  live(): readonly string[];
  /** Makes EC2 forget this instance. */
  forget(instance: string): Promise<void>;
  /** Makes EC2 refuse to terminate this instance. */
  protect(instance: string): Promise<void>;
};

let count = 0;
/** Returns a launch of one of these offers, with a new token. */
const launchOf = (offers: readonly Offer[], over: Partial<Launch> = {}): Launch => {
  const id = `launch-${process.pid}-${++count}`;
  return aLaunch({ id, clientToken: id, offers, ...over });
};

/** Matches a refusal of each of these offers, in any order. */
const everyOf = (offers: readonly OfferRef[], refusal: Partial<OfferRefusal>) => {
  const each = offers.map(({ instanceType, zone, market }) => expect.objectContaining({ instanceType, zone, market, ...refusal }));
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
    test("a launch results in one instance of one of its offers", async () => {
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

    test("an identical launch returns the same instance, and another launch returns another one", async () => {
      const { fleet, offers, live } = await make();
      const launch = launchOf(offers);
      const id = only(await fleet.launch(launch));
      expect(only(await fleet.launch(launch))).toBe(id);
      expect(only(await fleet.launch(launchOf(offers)))).not.toBe(id);
      expect(live().length).toBe(2);
    });

    test("a gang's launch results in all its nodes, of one offer, and the same ones if it is repeated", async () => {
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

    test("a gang's launch without capacity is refused, and nothing is launched", async () => {
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

    test("identical launches at the same time result in one instance", async () => {
      const { fleet, offers, live } = await make();
      const launch = launchOf(offers);
      const ids = (await Promise.all([1, 2, 3].map(() => fleet.launch(launch)))).map(only);
      expect(new Set(ids).size).toBe(1);
      expect(live().length).toBe(1);
    });

    test("a launch whose response is lost is unknown, and repeating it returns the instance", async () => {
      const stage = await make();
      const launch = launchOf(stage.offers);
      stage.loseNextLaunch();
      expect((await stage.fleet.launch(launch)).kind).toBe("unknown");
      expect(stage.live().length).toBe(1);
      expect(only(await stage.fleet.launch(launch))).toBe(stage.live()[0]);
      expect(stage.live().length).toBe(1);
    });

    test("a throttled launch launches nothing, and repeating it launches", async () => {
      const stage = await make();
      const launch = launchOf(stage.offers);
      stage.throttleNextLaunch();
      expect((await stage.fleet.launch(launch)).kind).toBe("throttled");
      expect(stage.live()).toEqual([]);
      only(await stage.fleet.launch(launch));
    });

    test("a launch that EC2 throttles internally launches nothing, for good, and blames no offer", async () => {
      const stage = await make();
      const launch = launchOf(stage.offers);
      for (const offer of stage.offers) stage.refuse(offer, "RequestLimitExceeded");
      expect(await stage.fleet.launch(launch)).toMatchObject({ kind: "throttled", final: true });
      expect(await stage.fleet.launch(launch)).toMatchObject({ kind: "throttled", final: true });
      expect(stage.live()).toEqual([]);
    });

    test("an offer that failed only because EC2 throttled internally is not blamed", async () => {
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

    test("a launch uses another offer if the first one has no capacity", async () => {
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
      "%s from all offers is a refusal for lack of capacity",
      async (code) => {
        const stage = await make();
        for (const offer of stage.offers) stage.refuse(offer, code);
        const refusals = everyOf(stage.offers, { code, why: "capacity" });
        expect(await stage.fleet.launch(launchOf(stage.offers))).toMatchObject({ kind: "refused", code, refusals });
        expect(stage.live()).toEqual([]);
      },
    );

    test.each(["MaxSpotInstanceCountExceeded", "VcpuLimitExceeded"])(
      "%s from all offers is a refusal for a limit of the account",
      async (code) => {
        const stage = await make();
        for (const offer of stage.offers) stage.refuse(offer, code);
        const refusals = everyOf(stage.offers, { code, why: "limit" });
        expect(await stage.fleet.launch(launchOf(stage.offers))).toMatchObject({ kind: "refused", code, refusals });
      },
    );

    test("an unknown error code is a refusal that says nothing about the offer's capacity", async () => {
      const stage = await make();
      for (const offer of stage.offers) stage.refuse(offer, "MoonInTheWrongHouse");
      const refusals = everyOf(stage.offers, { code: "MoonInTheWrongHouse", why: "fault" });
      expect(await stage.fleet.launch(launchOf(stage.offers))).toMatchObject({ kind: "refused", code: "MoonInTheWrongHouse", refusals });
    });

    test("a launch of several nodes uses any of its offers, and blames none if it gets all", async () => {
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

    test("a launch keeps fewer instances than it asked for, and names each offer that gave too few", async () => {
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

    test("a whole launch gets nothing if no offer has enough for it", async () => {
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

    test("a token that is used again with other offers is turned away, and launches nothing more", async () => {
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

    test("the instances of a launch are found by its tag, including ended ones, and none for a launch without instances", async () => {
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

    test("a token whose launch was refused is turned away if it is used again with other offers", async () => {
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

    test("an instance lives until it is terminated, and terminating an ended or unknown one is accepted", async () => {
      const stage = await make();
      const id = only(await stage.fleet.launch(launchOf(stage.offers)));
      const look = async () => (await stage.fleet.look([id])).get(id);
      const terminate = async () => (await stage.fleet.terminate([id])).get(id);
      expect(await look()).toBe("live");
      expect(await terminate()).toBe("accepted");
      expect(["ending", "terminated"]).toContain(await look());
      expect(stage.live()).toEqual([]);
      expect(await terminate()).toBe("accepted");
      await stage.forget(id);
      expect(await look()).toBe("absent");
      expect(await terminate()).toBe("accepted");
    });

    test("an instance that runs passes EC2's status checks, and so does one that EC2 does not know", async () => {
      const stage = await make();
      const id = only(await stage.fleet.launch(launchOf(stage.offers)));
      expect(await stage.fleet.impaired([id, "i-00000000000000fff"])).toEqual(new Set());
    });

    test("many instances are described and terminated in one call, and an unknown one is separated from the others", async () => {
      const stage = await make();
      const outcome = await stage.fleet.launch(launchOf(stage.offers, { count: 3 }));
      const ids = outcome.kind === "launched" ? outcome.instances.map((one) => one.id) : [];
      const [gone = "", first = "", second = ""] = ids;
      await stage.forget(gone);
      expect(await stage.fleet.look(ids)).toEqual(
        new Map([
          [gone, "absent"],
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

    test("a protected instance keeps only those of its zone alive, and each of the others can be ended in a call of its own", async () => {
      const stage = await make();
      const [here, there] = stage.offers;
      if (!here || !there) throw new Error("no offers");
      expect(here.zone).not.toBe(there.zone);
      const { fleet } = stage;
      const launched = async (offer: Offer) => only(await fleet.launch(launchOf([offer])));
      const [kept, near, far] = [await launched(here), await launched(here), await launched(there)];
      await stage.protect(kept);
      const ids = [kept, near, far];
      expect(await fleet.terminate(ids)).toEqual(new Map(ids.map((id) => [id, "apart"])));
      const living = () => ids.filter((id) => stage.live().includes(id));
      expect(living()).toEqual([kept, near]);
      expect(await fleet.terminate([near])).toEqual(new Map([[near, "accepted"]]));
      expect(await fleet.terminate([far])).toEqual(new Map([[far, "accepted"]]));
      expect(await fleet.terminate([kept])).toEqual(new Map([[kept, { refused: expect.stringMatching(/^OperationNotPermitted: /) }]]));
      expect(living()).toEqual([kept]);
    });

    test("a throttled call terminates nothing, and reports that for each instance", async () => {
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
