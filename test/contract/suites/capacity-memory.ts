import { describe, expect, it } from "vitest";
import { refusedAgain } from "../../../lib/decide/capacity/cooldown.ts";
import type { Refusal, Subject } from "../../../lib/model/refusal.ts";
import { anOffer, aRefusal, monday } from "../../fakes/builders.ts";
import type { MakeLedger } from "./arrange.ts";

const { instanceType, zone, market } = anOffer();
const offer: Subject = { why: "capacity", instanceType, zone, market };
const limit: Subject = { why: "limit", region: "us-east-1", market: "spot", quota: "All G and VT Spot Instance Requests" };
const fault: Subject = { why: "fault", pool: "gpu", instanceType, zone, market };

const refusalOf = (subject: Subject): Refusal => {
  const { code, least, evidence, atMs, sinceMs, untilMs, launch } = aRefusal();
  return { ...subject, code, least, evidence, atMs, sinceMs, untilMs, launch };
};

/** All pools share the memory of what EC2 refused, and no concurrent change is lost. */
export const capacityMemoryContract = (make: MakeLedger): void => {
  describe("capacity.change", () => {
    const subjects = [offer, limit, fault];

    it.each(subjects)("a refusal is written, changed and removed: $why", async (subject) => {
      const ledger = await make();
      const seen: (Refusal | undefined)[] = [];
      const to = (wanted: Refusal | undefined) =>
        ledger.capacity.change(subject, (known) => {
          seen.push(known);
          return wanted;
        });
      const first: Refusal = refusalOf(subject);
      const second: Refusal = { ...first, evidence: 2.5, least: 4, launch: "launch-2" };
      expect(await to(undefined)).toBe(false);
      expect(await to(first)).toBe(true);
      expect((await ledger.decisions.load("gpu", monday)).refusals).toEqual([first]);
      expect(await to(second)).toBe(true);
      expect((await ledger.decisions.load("gpu", monday)).refusals).toEqual([second]);
      expect(await to(undefined)).toBe(true);
      expect((await ledger.decisions.load("gpu", monday)).refusals).toEqual([]);
      expect(seen).toEqual([undefined, undefined, first, second]);
    });

    it("a refusal that does not change is not written", async () => {
      const ledger = await make();
      await ledger.capacity.change(offer, () => aRefusal());
      expect(await ledger.capacity.change(offer, (known) => known)).toBe(false);
    });

    it("each of ten refusals at once is counted", async () => {
      const ledger = await make();
      const refused = (n: number) => ({ subject: offer, code: "InsufficientInstanceCapacity", least: 1, launch: `launch-${n}` });
      await Promise.all(
        Array.from({ length: 10 }, (_, n) => ledger.capacity.change(offer, (known) => refusedAgain(known, refused(n), monday))),
      );
      expect((await ledger.decisions.load("gpu", monday)).refusals).toMatchObject([{ evidence: 10 }]);
    });

    it("only one of ten writers at once writes a refusal that does not exist yet", async () => {
      const ledger = await make();
      const written = await Promise.all(
        Array.from({ length: 10 }, (_, n) => ledger.capacity.change(limit, (known) => known ?? { ...refusalOf(limit), launch: `${n}` })),
      );
      expect(written.filter((wrote) => wrote)).toHaveLength(1);
    });
  });

  describe("refusals", () => {
    it("a refusal is seen by every pool, but a fault only by its own pool", async () => {
      const ledger = await make();
      for (const subject of [offer, limit, fault]) await ledger.capacity.change(subject, () => refusalOf(subject));
      const seenBy = async (pool: string) => (await ledger.decisions.load(pool, monday)).refusals.map(({ why }) => why).sort();
      expect(await seenBy("gpu")).toEqual(["capacity", "fault", "limit"]);
      expect(await seenBy("cpu")).toEqual(["capacity", "limit"]);
    });
  });
};
