import { statusOf } from "../../decide/capacity/cooldown.ts";
import { quotaOf } from "../../decide/capacity/quotas.ts";
import { breakers } from "../../model/breaker.ts";
import type { Launch } from "../../model/launch.ts";
import { lifeOf, type Node } from "../../model/node.ts";
import type { Offer } from "../../model/offer.ts";
import type { Learned, Snapshot } from "../../model/plan.ts";
import type { Pool, PoolState } from "../../model/pool.ts";
import type { Refusal } from "../../model/refusal.ts";
import { costIn, type Period } from "../../model/values/period.ts";
import type { PoolView } from "./pools.ts";
import { iso, isoIf } from "./times.ts";

/** A pool's configuration, its state, and what a decision would see now. */
export type KnownPool = { readonly pool: Pool; readonly state: PoolState; readonly seen: Omit<Snapshot, "nowMs" | "pool"> };

export const poolView = ({ pool, state, seen }: KnownPool, nowMs: number): PoolView => ({
  pool: pool.name,
  families: [...pool.families],
  markets: [...pool.markets],
  shared: pool.shared,
  containers: pool.containers,
  teams: [...pool.teams],
  idleSeconds: pool.idleSeconds,
  bootSeconds: pool.bootSeconds,
  maxLifetimeSeconds: pool.maxLifetimeSeconds,
  drainSeconds: pool.drainSeconds,
  consolidateSeconds: pool.consolidateSeconds,
  limits: pool.limits,
  reserved: seen.reserved,
  budgets: pool.budgets,
  spent: { usdToday: spentIn("day", seen, nowMs), usdThisMonth: spentIn("month", seen, nowMs) },
  queue: {
    length: seen.queued ?? seen.queue.length,
    oldestSubmittedAt: isoIf(oldest(seen.queue.map(({ submittedAtMs }) => submittedAtMs))),
  },
  nodes: byState(seen.nodes),
  openLaunches: seen.openLaunches.map(openLaunch),
  refusals: seen.refusals
    .filter((refusal) => statusOf(refusal, nowMs) === "cooling-down" && isAbout(refusal, seen.catalogue?.offers ?? []))
    .map((refusal) => ({
      ...subjectOf(refusal),
      market: refusal.market,
      code: refusal.code,
      at: iso(refusal.atMs),
      until: iso(refusal.untilMs),
    })),
  breakers: breakers({ ...seen, nowMs }).map(({ openUntilMs, ...breaker }) => ({ ...breaker, restsUntil: iso(openUntilMs) })),
  learned: learnedRows(seen.learned),
  busy: state.busy,
  decisions: state.epoch,
  pricesAt: isoIf(seen.catalogue?.refreshedAtMs),
});

const learnedRows = (learned: Learned = {}): PoolView["learned"] =>
  Object.entries(learned).flatMap(([problems, engines]) =>
    Object.entries(engines).map(([engine, { tries, reward }]) => ({ problems, engine, tries, reward })),
  );

/** Returns whether a refusal concerns an offer that the pool could buy, because all pools share the memory of refusals. */
const isAbout = (refusal: Refusal, offers: readonly Offer[]): boolean =>
  offers.some((offer) => {
    if (offer.market !== refusal.market) return false;
    if (refusal.why === "limit") return quotaOf(offer.instanceType, offer.market) === refusal.quota;
    return offer.instanceType === refusal.instanceType && offer.zone === refusal.zone;
  });

const subjectOf = (refusal: Refusal): Pick<PoolView["refusals"][number], "instanceType" | "zone" | "quota"> =>
  refusal.why === "limit" ? { quota: refusal.quota } : { instanceType: refusal.instanceType, zone: refusal.zone };

/** Returns what nodes have cost in a period, in USD, including nodes that still run. */
function spentIn(period: Period, { spent, nodes }: KnownPool["seen"], nowMs: number): number {
  const living = nodes.filter((node) => !node.released).map((node) => costIn(lifeOf(node, nowMs), period, nowMs));
  const ended = Math.round((period === "day" ? spent.dayUsd : spent.monthUsd) * 1e6);
  return living.reduce((total, microUsd) => total + microUsd, ended) / 1e6;
}

const oldest = (times: readonly number[]): number | undefined =>
  times.reduce<number | undefined>((least, time) => (least === undefined || time < least ? time : least), undefined);

function byState(nodes: readonly Node[]): PoolView["nodes"] {
  const counts: PoolView["nodes"] = { launching: 0, ready: 0, draining: 0, terminating: 0, gone: 0 };
  for (const { state } of nodes) counts[state] += 1;
  return counts;
}

const openLaunch = (launch: Launch): PoolView["openLaunches"][number] => ({
  launch: launch.id,
  team: launch.team,
  market: launch.market,
  instanceTypes: [...new Set(launch.offers.map(({ instanceType }) => instanceType))],
  nodes: launch.count,
  reserved: launch.reserved,
  intendedAt: iso(launch.intendedAtMs),
});
