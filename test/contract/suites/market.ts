import { describe, expect, test } from "vitest";
import { offerName } from "../../../lib/model/offer.ts";
import type { PriceSource } from "../../../lib/ports/fleet.ts";
import { aPool } from "../../fakes/builders.ts";

/** `make` must return a market that sells the family g5 in at least one zone, as spot or on-demand capacity. */
export function marketContract(name: string, make: () => Promise<PriceSource>): void {
  describe(`market: ${name}`, () => {
    test("every offer is of a described type, has a price, is in a market of the pool, and is listed once", async () => {
      const now = Date.now();
      const { types, offers, refreshedAtMs } = await (await make()).catalogue(aPool({ families: ["g5"] }), now);
      expect(refreshedAtMs).toBe(now);
      expect(offers.length).toBeGreaterThan(0);
      const known = new Set(types.map((type) => type.name));
      for (const offer of offers) {
        expect(known).toContain(offer.instanceType);
        expect(offer.usdPerHour).toBeGreaterThan(0);
      }
      expect(new Set(offers.map(offerName)).size).toBe(offers.length);
    });

    test("a pool that buys in one market gets no offers of another", async () => {
      const { offers } = await (await make()).catalogue(aPool({ families: ["g5"], markets: ["spot"] }), Date.now());
      expect(new Set(offers.map(({ market }) => market))).toEqual(new Set(["spot"]));
    });
  });
}
