import { closingPool } from "../../decide/scaling/closing.ts";
import type { Pool } from "../../model/pool.ts";

/** The pool of that name as it is configured; one that is not, any more, is emptied. */
export const poolToPlace = (pools: readonly Pool[], name: string): Pool => pools.find((each) => each.name === name) ?? closingPool(name);
