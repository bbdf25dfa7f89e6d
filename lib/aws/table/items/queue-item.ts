import * as z from "zod";
import { FleetError } from "../../../model/fleet-error.ts";
import type { QueueEntry } from "../../../model/job.ts";
import type { Item } from "../access.ts";
import { type Key, placeInQueue, queueKey } from "../keys.ts";
import { stored } from "../stored.ts";
import { SharedWants, wantsText } from "./stored-wants.ts";

/** An entry has at most 300 bytes, apart from a long reason or list of models. */
const StoredEntry = z.object({
  pk: z.string(),
  sk: z.string(),
  /** attempt */
  a: z.int().min(1),
  /** reason */
  r: z.string().optional(),
  /** not before, ms since the epoch */
  n: z.number().optional(),
  /** wants */
  w: SharedWants,
});

export const queueItem = (pool: string, entry: QueueEntry): Key & Item => ({
  ...queueKey({ ...entry, pool }),
  w: wantsText(entry),
  a: entry.attempt,
  r: entry.reason,
  n: entry.notBeforeMs,
});

/** Returns until when the job of an entry rests, ms since the epoch; 0 if it does not. */
export const mayRestUntil = ({ n }: Item): number => (typeof n === "number" ? n : 0);

/** The mark of an entry whose job could not be read. */
export const asideMark = "x";

export function entryOf(item: Item): QueueEntry {
  const { pk, sk, a, r, n, w } = stored(StoredEntry, item);
  const place = placeInQueue({ pk, sk });
  if (!place) throw new FleetError("broken-item", `the item ${String(item["pk"])} ${sk} is broken: sk: is not a place in a queue`);
  const { team, job, priority, submittedAtMs } = place;
  // One spread, and the same fields in the same order, because engines copy and read such objects several times as fast.
  return { ...w, team, job, attempt: a, priority, submittedAtMs, notBeforeMs: n, reason: r };
}
