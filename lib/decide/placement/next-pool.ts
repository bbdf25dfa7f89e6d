import type { QueueEntry } from "../../model/job.ts";
import type { Reservation } from "../../model/launch.ts";
import type { Catalogue } from "../../model/offer.ts";
import type { Snapshot } from "../../model/plan.ts";
import type { NextPool } from "../../model/pool.ts";
import type { Refusal } from "../../model/refusal.ts";
import { isWithin, reservedBy, times } from "../../model/reservations.ts";
import { type Bought, offersFor } from "../../model/wants.ts";
import type { CapacityView } from "../capacity/capacity-view.ts";
import { whatWasRefused, whyDry } from "../capacity/why-dry.ts";
import { whyBeyond } from "../limits/why-beyond.ts";
import { whyTooLarge, whyUnsold } from "./impossible.ts";

/** `to`: the pool that the job moves to now. `atMs`: when it will move, if nothing changes. */
export type Fallback = { readonly reason: string; readonly to?: string; readonly atMs?: number };

type On = {
  readonly snapshot: Snapshot;
  readonly catalogue: Catalogue;
  readonly seen: CapacityView;
  /** What the limits and budgets leave for the job here. */
  readonly left: Reservation;
};

/**
 * Returns whether a job that EC2 has nothing for in this pool moves to another one, or why it stays. This is the last resort, after other
 * types, zones and markets. Returns undefined if there is no pool to move to, or if something other than EC2's refusals is in the way:
 * a limit, a budget, a breaker or a fault of the pool's own requests, because waiting elsewhere would solve none of these.
 *
 * The job moves to the first pool along the fallbacks that it fits, unless EC2 is known to have nothing for it there either.
 */
export function fallbackFor(entry: QueueEntry, on: On): Fallback | undefined {
  const { snapshot, seen } = on;
  const { pool, next = [], nowMs } = snapshot;
  if (next.length === 0) return undefined;
  const against = whatIsInTheWay(entry, on);
  const sinceMs = drySince(against);
  const refused = whatWasRefused(against);
  if (sinceMs === undefined || refused === undefined) return undefined;
  const tried = next.map((each) => ({ to: each.pool.name, why: whyNotThere(entry, each, { snapshot, seen }) }));
  const found = tried.find(({ why }) => why === undefined);
  if (!found) return { reason: `${whyDry(against)}; the job stays here: ${tried.map(({ why }) => why).join("; ")}` };
  const atMs = sinceMs + pool.fallbackSeconds * 1000;
  const lasted = `for ${pool.fallbackSeconds} s`;
  if (nowMs < atMs) return { reason: `${whyDry(against)}; when that has lasted ${lasted} the job moves to pool ${found.to}`, atMs };
  return { reason: `moved from pool ${pool.name}: ${refused}, and that has lasted ${lasted}`, to: found.to };
}

const isAffordable = ({ offer, type }: Bought, nodes: number, room: Reservation): boolean =>
  isWithin(times(nodes, reservedBy({ offer, type })), room);

/** Returns the refusals of each offer that limits and budgets allow for the job. */
const whatIsInTheWay = (entry: QueueEntry, { catalogue, seen, left }: On): readonly (readonly Refusal[])[] =>
  offersFor(entry, catalogue)
    .filter((bought) => isAffordable(bought, entry.nodes, left))
    .map((bought) =>
      seen.status({ ...bought, count: entry.nodes }) === "cooling-down" ? seen.against({ ...bought, count: entry.nodes }) : [],
    );

/** Returns since when all offers have been refused for capacity or quota; undefined if one is not refused, or there are none. */
function drySince(against: readonly (readonly Refusal[])[]): number | undefined {
  let since: number | undefined;
  for (const refusals of against) {
    const dry = refusals.filter(({ why }) => why !== "fault").map(({ sinceMs }) => sinceMs);
    if (dry.length === 0) return undefined;
    since = Math.max(since ?? 0, Math.min(...dry));
  }
  return since;
}

/** Returns why the job must not move to that pool; undefined if it may. Uses the rules of admission, so that it can run where it waits. */
function whyNotThere(
  entry: QueueEntry,
  { pool, catalogue, paused }: NextPool,
  { snapshot: { wider }, seen }: Pick<On, "snapshot" | "seen">,
): string | undefined {
  if (pool.teams.length > 0 && !pool.teams.includes(entry.team)) return `team ${entry.team} may not use pool ${pool.name}`;
  if (paused) return `pool ${pool.name} is paused`;
  if (!catalogue || catalogue.types.length === 0) return `the prices of pool ${pool.name} are not known yet`;
  const never =
    whyTooLarge(entry, pool, catalogue.types) ??
    whyUnsold(entry, pool, catalogue) ??
    whyBeyond(entry, { pool, catalogue, limits: wider?.limits });
  if (never !== undefined) return never;
  const isToBeHad = offersFor(entry, catalogue)
    .filter((bought) => isAffordable(bought, entry.nodes, pool.limits))
    .some((bought) => seen.status({ ...bought, count: entry.nodes }) !== "cooling-down");
  return isToBeHad ? undefined : `EC2 has nothing that fits for pool ${pool.name} either`;
}
