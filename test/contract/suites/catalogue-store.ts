import { describe, expect, it } from "vitest";
import type { Catalogue } from "../../../lib/model/offer.ts";
import { aCatalogue, anOffer, aType, monday } from "../../fakes/builders.ts";
import type { MakeLedger } from "./arrange.ts";

/** About as many offers as all GPU and CPU families have in six zones and two markets. */
export const bigCatalogue = (): Catalogue => ({
  types: Array.from({ length: 250 }, (_, n) =>
    aType({ name: `g${n}.${n % 7}xlarge`, resources: { vcpus: n, memoryGiB: n * 4, gpus: n % 9 } }),
  ),
  offers: Array.from({ length: 3000 }, (_, n) =>
    anOffer({
      instanceType: `g${n % 250}.${n % 7}xlarge`,
      zone: `us-east-1${"abcdef"[n % 6]}`,
      market: n % 2 ? "spot" : "on-demand",
      usdPerHour: ((n * 7919) % 10_007) / 1000,
    }),
  ),
  refreshedAtMs: monday,
});

export const catalogueStoreContract = (make: MakeLedger) =>
  describe("catalogue store", () => {
    it("a pool has no catalogue until one is stored", async () => {
      const { catalogues } = await make();
      expect(await catalogues.get("gpu")).toBeUndefined();
    });

    it("a catalogue of 3,000 offers is read as it was stored, also by a decision", async () => {
      const { catalogues, decisions } = await make();
      const catalogue = bigCatalogue();
      await catalogues.put("gpu", catalogue);
      expect(await catalogues.get("gpu")).toEqual(catalogue);
      expect((await decisions.load("gpu", monday)).catalogue).toEqual(catalogue);
      expect(await catalogues.get("cpu")).toBeUndefined();
    });

    it("a stored catalogue replaces the one before", async () => {
      const { catalogues } = await make();
      await catalogues.put("gpu", bigCatalogue());
      await catalogues.put("gpu", aCatalogue());
      expect(await catalogues.get("gpu")).toEqual(aCatalogue());
    });
  });
