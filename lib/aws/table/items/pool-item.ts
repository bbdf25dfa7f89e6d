import * as z from "zod";
import type { Reservation } from "../../../model/launch.ts";
import { type Hearing, heardAt } from "../../../model/values/hearing.ts";
import { getItem, type Item, type TableAccess, updateItem } from "../access.ts";
import { setAll } from "../expression.ts";
import { bellKey, hearingKey, poolKey } from "../keys.ts";
import { stored } from "../stored.ts";
import { reservedOf } from "./reserved-item.ts";

const StoredPool = z.object({ epoch: z.int().default(0) });

const StoredBell = z.object({
  bell: z.int().default(0),
  decidedThrough: z.int().default(0),
  busy: z.boolean().default(false),
  wakeAtMs: z.number().optional(),
  lookedAtMs: z.number().optional(),
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

const StoredHearing = z.object({ atMs: z.number(), sinceMs: z.number() });

/** Returns what is noted; undefined if nothing is, or if it cannot be read, because then no worker must be judged by it. */
export const hearingOf = (item: Item | undefined): Hearing | undefined => StoredHearing.safeParse(item).data;

/** Notes a call that succeeded. Ticks that overlap may write in any order, because both write about the same minute. */
export async function noteHeard(access: TableAccess, atMs: number): Promise<void> {
  const { atMs: at, sinceMs } = heardAt(hearingOf(await getItem(access, hearingKey)), atMs);
  await updateItem(access, hearingKey, { changes: setAll({ atMs: at, sinceMs }) });
}
