import * as z from "zod";
import { PoolName } from "./job.ts";

/** On the lane and on `later`: something happened in this pool. What it was is read from the table. */
export const PoolRang = z.strictObject({ pool: PoolName });
export type PoolRang = z.infer<typeof PoolRang>;
