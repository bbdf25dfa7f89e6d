import type { UnreadableItem } from "../../model/plan.ts";
import type { Loaded, WaitingJobs } from "../../ports/pool-ledger.ts";
import type { Ports } from "../../ports/ports.ts";

/** Returns all that the table stores about a pool. */
export async function loadPool({ decisions }: Pick<Ports, "decisions">, pool: string, nowMs: number): Promise<Loaded & WaitingJobs> {
  const [loaded, waiting] = await Promise.all([decisions.load(pool, nowMs), decisions.waiting(pool, nowMs)]);
  return { ...loaded, ...withUnreadable(waiting, loaded) };
}

/** Returns what waits, with the items that could not be read in the rest of the pool, too. */
export function withUnreadable(
  waiting: WaitingJobs,
  { unreadable: others = [] }: { unreadable?: readonly UnreadableItem[] | undefined },
): WaitingJobs {
  const unreadable = [...others, ...(waiting.unreadable ?? [])];
  return { queue: waiting.queue, queued: waiting.queued, ...(unreadable.length > 0 && { unreadable }) };
}
