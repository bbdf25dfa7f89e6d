import { spentMicro } from "../../decide/budget/spent-so-far.ts";
import { statusOf } from "../../decide/capacity/cooldown.ts";
import { quotaOf } from "../../decide/capacity/quotas.ts";
import { waitsForProof } from "../../decide/health/waits-for-proof.ts";
import { inForce } from "../../decide/overrides/in-force.ts";
import { minimumState } from "../../decide/scaling/missing-nodes.ts";
import { breakers } from "../../model/breaker.ts";
import type { Launch } from "../../model/launch.ts";
import type { Node } from "../../model/node.ts";
import { type Offer, regionOf } from "../../model/offer.ts";
import { noOverrides } from "../../model/overrides/overrides.ts";
import type { Learned, Snapshot } from "../../model/plan.ts";
import type { Pool, PoolState } from "../../model/pool.ts";
import type { Refusal } from "../../model/refusal.ts";
import type { BackOff } from "../../model/values/back-off.ts";
import { own } from "../../model/values/own.ts";
import { overridesView } from "./overrides.ts";
import type { PoolView } from "./pools.ts";
import { maySpeakFor, type Speaker } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";

/** A pool's configuration, its state, and what a decision would see now. */
export type KnownPool = { readonly pool: Pool; readonly state: PoolState; readonly seen: Omit<Snapshot, "nowMs" | "pool"> };

/** Limits and budgets are those that apply; `overrides` shows what was configured instead. */
export const poolView = ({ pool, state, seen }: KnownPool, { nowMs, speaker }: { nowMs: number; speaker: Speaker }): PoolView => ({
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
  minimum: minimumState({ ...seen, pool: inForce(pool, seen.overrides, nowMs), nowMs }),
  limits: inForce(pool, seen.overrides, nowMs).limits,
  reserved: seen.reserved,
  budgets: inForce(pool, seen.overrides, nowMs).budgets,
  spent: spentOf({ ...seen, nowMs }),
  teamSpending: teamSpending({ pool: inForce(pool, seen.overrides, nowMs), seen }, { nowMs, speaker }),
  overrides: overridesView(seen.overrides ?? noOverrides, { pool, speaker, nowMs }),
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
  ...(speaker.kind === "admin" && { unreadable: (seen.unreadable ?? []).map(({ kind, key, why }) => ({ kind, key, why })) }),
  ...(speaker.kind === "admin" && { backOffs: (seen.backOffs ?? []).map(backOffView) }),
  ...(speaker.kind === "admin" && { waiting: waitingNodes(seen.nodes, nowMs) }),
  busy: state.busy,
  decisions: state.epoch,
  pricesAt: isoIf(seen.catalogue?.refreshedAtMs),
});

const waitingNodes = (nodes: readonly Node[], nowMs: number): NonNullable<PoolView["waiting"]> =>
  nodes.flatMap((node) => {
    const doubt = waitsForProof(node, nowMs);
    return doubt ? [{ node: node.id, since: iso(doubt.sinceMs), why: doubt.why }] : [];
  });

const backOffView = ({ subject, failures, sinceMs, retryAtMs, note }: BackOff): NonNullable<PoolView["backOffs"]>[number] => ({
  what: subject,
  failures,
  since: iso(sinceMs),
  retryAt: iso(retryAtMs),
  why: note,
});

const learnedRows = (learned: Learned = {}): PoolView["learned"] =>
  Object.entries(learned).flatMap(([problems, engines]) =>
    Object.entries(engines).map(([engine, { tries, reward }]) => ({ problems, engine, tries, reward })),
  );

/** Returns whether a refusal concerns an offer that the pool could buy, because all pools share the memory of refusals. */
const isAbout = (refusal: Refusal, offers: readonly Offer[]): boolean =>
  offers.some((offer) => {
    if (offer.market !== refusal.market) return false;
    if (refusal.why === "limit")
      return regionOf(offer.zone) === refusal.region && quotaOf(offer.instanceType, offer.market) === refusal.quota;
    return offer.instanceType === refusal.instanceType && offer.zone === refusal.zone;
  });

const subjectOf = (refusal: Refusal): Pick<PoolView["refusals"][number], "instanceType" | "zone" | "region" | "quota"> =>
  refusal.why === "limit" ? { region: refusal.region, quota: refusal.quota } : { instanceType: refusal.instanceType, zone: refusal.zone };

/** Returns what nodes have cost, in USD, including nodes that still run. */
const spentOf = (of: Parameters<typeof spentMicro>[1]): PoolView["spent"] => ({
  usdToday: spentMicro("day", of) / 1e6,
  usdThisMonth: spentMicro("month", of) / 1e6,
});

function teamSpending(
  { pool, seen: { spent, nodes } }: Pick<KnownPool, "pool" | "seen">,
  { nowMs, speaker }: { nowMs: number; speaker: Speaker },
): PoolView["teamSpending"] {
  const named = [...Object.keys(pool.teamBudgets ?? {}), ...Object.keys(spent.teams ?? {}), ...nodes.flatMap(({ team }) => team ?? [])];
  const teams = [...new Set(named)].filter((team) => maySpeakFor(speaker, team)).sort();
  return teams.map((team) => {
    const ended = own(spent.teams, team) ?? { dayUsd: 0, monthUsd: 0 };
    const its = { spent: ended, nodes: nodes.filter((node) => node.team === team), nowMs };
    return { team, budgets: own(pool.teamBudgets, team), spent: ended.isUnknown ? undefined : spentOf(its) };
  });
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
