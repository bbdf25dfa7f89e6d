import pMap from "p-map";
import { fallbacksOf, type NextPool, type Pool } from "../../model/pool.ts";
import type { CatalogueStore } from "../../ports/pool-ledger.ts";

export type NextPoolsDeps = {
  /** As they are configured. */
  readonly pools: readonly Pool[];
  readonly catalogues: Pick<CatalogueStore, "get">;
};

/** Where jobs of the pool may move, with what is sold there. A pool without a fallback costs no read. */
export const nextPools = ({ pools, catalogues }: NextPoolsDeps, pool: Pool): Promise<NextPool[]> =>
  pMap(fallbacksOf(pool, pools), async (next) => ({ pool: next, catalogue: await catalogues.get(next.name) }), { concurrency: 4 });
