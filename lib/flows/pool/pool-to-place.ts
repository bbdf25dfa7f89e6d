import { closingPool } from "../../decide/scaling/closing.ts";
import type { Pool } from "../../model/pool.ts";

/** Returns the pool of that name as it is configured, or a closing pool if it no longer is. */
export const poolToPlace = (pools: readonly Pool[], name: string): Pool => pools.find((each) => each.name === name) ?? closingPool(name);
