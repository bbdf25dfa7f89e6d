import { gunzipSync, gzipSync } from "node:zlib";
import * as z from "zod";
import { FleetError } from "../../../model/fleet-error.ts";
import type { Catalogue } from "../../../model/offer.ts";
import type { CatalogueStore } from "../../../ports/pool-ledger.ts";
import { getItem, putItem, type TableAccess } from "../access.ts";
import { catalogueKey } from "../keys.ts";
import { StoredOffer, StoredType, stored } from "../stored.ts";

/** DynamoDB allows items of up to 400 KB; the difference is for keys and names. */
const maxBytes = 390 * 1024;
const maxUnpackedBytes = 32 * 1024 * 1024;

const Packed = z.object({ gz: z.instanceof(Uint8Array) });
const StoredCatalogue: z.ZodType<Catalogue> = z.object({
  types: z.array(StoredType),
  offers: z.array(StoredOffer),
  refreshedAtMs: z.number(),
});

export const createCatalogueStore = (access: TableAccess): CatalogueStore => ({
  async get(pool) {
    const key = catalogueKey(pool);
    const item = await getItem(access, key);
    if (!item) return undefined;
    try {
      // A function handles one event on at most one processor, so a thread of its own would gain nothing.
      const json = gunzipSync(stored(Packed, item).gz, { maxOutputLength: maxUnpackedBytes }).toString("utf8");
      const catalogue: unknown = JSON.parse(json);
      return stored(StoredCatalogue, { ...key, ...z.record(z.string(), z.unknown()).parse(catalogue) });
    } catch {
      // The next tick fetches another one, as if there had never been one.
      return undefined;
    }
  },

  async put(pool, catalogue) {
    const gz = gzipSync(JSON.stringify(catalogue));
    if (gz.byteLength > maxBytes) {
      throw new FleetError(
        "catalogue-size",
        `the catalogue of ${pool} has ${catalogue.offers.length} offers, too many for one item of the table`,
      );
    }
    await putItem(access, { ...catalogueKey(pool), gz: new Uint8Array(gz), refreshedAtMs: catalogue.refreshedAtMs });
  },
});
