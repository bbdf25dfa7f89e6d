import * as z from "zod";
import type { Reservation } from "../../../model/launch.ts";
import { getItem, type Item, type TableAccess } from "../access.ts";
import { bellKey, poolKey } from "../keys.ts";
import { stored } from "../stored.ts";
import { reservedOf } from "./reserved-item.ts";

const StoredPool = z.object({ epoch: z.int().default(0) });

const StoredBell = z.object({
  bell: z.int().default(0),
  decidedThrough: z.int().default(0),
  busy: z.boolean().default(false),
  wakeAtMs: z.number().optional(),
  /** What rang since a decision last took the causes. */
  causes: z.set(z.string()).default(new Set()),
});

export function poolOf(item: Item): { epoch: number; reserved: Reservation } {
  return { epoch: stored(StoredPool, item).epoch, reserved: reservedOf(item) };
}

/** Returns a bell. Its counters are 0 until it first rings and a decision first finishes. */
export const bellOf = (item: Item): z.infer<typeof StoredBell> => stored(StoredBell, item);

export const readPool = async (access: TableAccess, pool: string): Promise<ReturnType<typeof poolOf>> =>
  poolOf((await getItem(access, poolKey(pool))) ?? {});
export const readBell = async (access: TableAccess, pool: string): Promise<ReturnType<typeof bellOf>> =>
  bellOf((await getItem(access, bellKey(pool))) ?? {});
