import * as z from "zod";
import { PoolName } from "./names.ts";

/** A message of the lane and of `later`: something happened in this pool. What happened is read from the table. */
export const PoolRang = z.strictObject({ pool: PoolName });
export type PoolRang = z.infer<typeof PoolRang>;
