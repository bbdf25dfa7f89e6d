import { isPaused } from "../../../decide/overrides/paused.ts";
import { attemptName, type Job, jobName, nodesOf, type QueueEntry } from "../../../model/job.ts";
import { freeOn, isLive, type Node } from "../../../model/node.ts";
import { isResting } from "../../../model/values/back-off.ts";
import { fits } from "../../../model/values/resources.ts";
import { outageTimes } from "../../faults/outages.ts";
import type { Fact } from "../../world/facts.ts";
import type { WorldView } from "../../world/seen.ts";
import { atMostEvery, type Invariant, type InvariantBreach } from "../invariant.ts";
import { idleSinceMs, keptUntilMs } from "../prompt.ts";

/** What a fault delays is over after this long: messages become visible again, handlers time out, and a tick makes up for lost rings. */
const troubledMs = 150_000;
/** How long news may wait for a decision if nothing is in its way. The tick would make up for a lost ring within a minute. */
const decidesWithinMs = 20_000;
/** How long news may wait for a decision while no fault delays it. The tick would make up for a lost ring within a minute. */
const actsWithinMs = 20_000;
const checkEveryMs = 5_000;
/** A worker whose last heartbeat is older than this may have been silent for a while. */
const heardMs = 80_000;

/** 18: while nothing is in their way, pools decide at once if there is news, and when it is time to. */
export const awake: Invariant = {
  number: 18,
  name: "pools are awake",
  says: "If no fault has delayed anything lately, a pool decides within 20 s after a job is queued or has left its node, gives a job room that is free for 20 s, and ends a node within 20 s after its idle time.",
  watch: (seen) => {
    const startMs = seen().nowMs;
    let troubleMs = startMs;
    const isDue = atMostEvery(checkEveryMs);
    /** Since when each pool has news that no decision has seen. */
    const news = new Map<string, number>();
    const changed: Changed = { jobs: new Map(), nodes: new Map() };
    return {
      on: (fact) => {
        const now = seen();
        if (isTrouble(fact, now)) troubleMs = now.nowMs;
        if (fact.kind === "deciding") news.delete(fact.pool);
        for (const pool of newsOf(fact)) if (!news.has(pool)) news.set(pool, now.nowMs);
        noteChange(fact, changed, now.nowMs);
        if (fact.kind !== "invoked" || !isDue(now.nowMs)) return undefined;
        const quietMs = troubleMs + troubledMs;
        return unheard(news, quietMs, now) ?? idle(quietMs, now) ?? unplaced(changed, quietMs, now);
      },
    };
  },
};

/** When each job last got another state or pool, and when a job of each node last did. */
type Changed = { readonly jobs: Map<string, number>; readonly nodes: Map<string, number> };

function noteChange(fact: Fact, { jobs, nodes }: Changed, nowMs: number): void {
  if (fact.kind !== "job" || isSamePlace(fact.before, fact.after)) return;
  jobs.set(jobName(fact.after), nowMs);
  for (const id of [fact.before, fact.after].flatMap(nodesOf)) nodes.set(id, nowMs);
}

const isSamePlace = (before: Job | undefined, after: Job): boolean => before?.state === after.state && before.pool === after.pool;

/** A decision may die while it waits for EC2, and its message is delivered again only after its visibility timeout. */
const delaying = /^(?:(?:sqs|lambda|table)\.|ec2\.late-answer$)/;

/** How long handlers may take to catch up after an outage. */
const settledMs = 5 * 60_000;

/** Reports whether something is in the way of handlers now. */
function isTrouble(fact: Fact, { scenario, unreadable, nowMs }: WorldView): boolean {
  if (fact.kind === "fault" && delaying.test(fact.fault)) return true;
  if (unreadable || scenario.rollout || scenario.flood) return true;
  return outageTimes(scenario).some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs <= untilMs + settledMs);
}

/** Returns the pools for which a fact is news: a job waits in them, or has left a node of theirs. */
function newsOf(fact: Fact): readonly string[] {
  if (fact.kind !== "job") return [];
  const { before, after } = fact;
  if (after.state === "queued" && !isSamePlace(before, after)) return [after.pool];
  const wasOn = before?.state === "placed" || before?.state === "running";
  return wasOn && after.state === "failed" ? [after.pool] : [];
}

/** A pool that was removed from the configuration is only looked at once a minute. */
const isConfigured = (pool: string, { workload, scenario, nowMs }: WorldView): boolean =>
  !workload.removals.some((each) => each.pool === pool && nowMs >= Date.parse(scenario.startsAt) + each.atMs);

function unheard(news: ReadonlyMap<string, number>, quietMs: number, now: WorldView): InvariantBreach {
  const late = [...news].find(([pool, sinceMs]) => sinceMs > quietMs && now.nowMs - sinceMs > decidesWithinMs && isConfigured(pool, now));
  return (
    late &&
    `pool ${late[0]} has not decided for ${Math.round((now.nowMs - late[1]) / 1000)} s, although a job is queued or has left its node`
  );
}

function idle(quietMs: number, now: WorldView): InvariantBreach {
  const late = [...now.table.nodes.values()].map(({ node }) => node).find((node) => isLateIdle(node, quietMs, now));
  return late && `${late.id} has been idle for ${Math.round((now.nowMs - idleSinceMs(late)) / 1000)} s, and was not ended`;
}

/** A node may stay while jobs wait, or work that must soon leave another node, or if its worker may be silent. */
function isLateIdle(node: Node, quietMs: number, now: WorldView): boolean {
  const pool = now.pools.find(({ name }) => name === node.pool);
  if (!pool || !isLive(node) || node.replaces !== undefined || !isConfigured(node.pool, now)) return false;
  const idleMs = Math.max(idleSinceMs(node), orderedMs(node.pool, now));
  const dueMs = Math.max(idleMs + pool.idleSeconds * 1000, keptUntilMs(pool.name, now.table));
  if (dueMs < quietMs || now.nowMs - dueMs < actsWithinMs) return false;
  const isLeaving = (each: Node): boolean => each.pool === node.pool && each.state === "draining" && each.assignments.length > 0;
  const isWanted =
    [...now.table.queue.values()].some((each) => each.pool === node.pool) ||
    [...now.table.nodes.values()].some((row) => isLeaving(row.node));
  return (
    isHeard(node, now) &&
    !rests(node.pool, `retire ${node.id}`, now) &&
    !isWanted &&
    ![...now.table.openLaunches.values()].some((each) => each.pool === node.pool)
  );
}

const isHeard = ({ id, lastSeenMs = 0 }: Node, { machine, nowMs }: WorldView): boolean =>
  machine(id)?.unreachableSinceMs === undefined && nowMs - lastSeenMs < heardMs;

/** Reports a job that waits although a node has room for it. Gangs may keep rooms for themselves, and a budget may be used up. */
function unplaced(changed: Changed, quietMs: number, now: WorldView): InvariantBreach {
  const rows = [...now.table.queue.values()];
  for (const { pool, entry } of rows) {
    const of = now.pools.find(({ name }) => name === pool);
    if (!of || of.budgets || of.teamBudgets || rows.some((row) => row.pool === pool && row.entry.nodes > 1)) continue;
    const sinceMs = Math.max(quietMs, orderedMs(pool, now), changed.jobs.get(jobName(entry)) ?? now.nowMs, entry.notBeforeMs ?? 0);
    if (
      now.nowMs - sinceMs < actsWithinMs ||
      !isConfigured(pool, now) ||
      isPaused(now.table.overrides.get(pool)) ||
      isLaunchedFor(entry, now) ||
      rests(pool, `place ${attemptName(entry)}`, now)
    )
      continue;
    const room = [...now.table.nodes.values()].find(({ node }) => node.pool === pool && isFreeFor(entry, node, { changed, now }));
    if (room) return `${jobName(entry)} waits although ${room.node.id} has room for it`;
  }
  return undefined;
}

/** Returns when an admin last ordered something about the pool; 0 for never. */
const orderedMs = (pool: string, { table }: WorldView): number => table.overrides.get(pool)?.history[0]?.atMs ?? 0;

/** What has failed because of earlier faults is tried again after a pause. */
const rests = (pool: string, subject: string, { table, nowMs }: WorldView): boolean =>
  table.backOffs.get(pool)?.some((each) => each.subject === subject && isResting(each, nowMs)) === true;

/** A job for which a launch is open waits for its outcome. */
const isLaunchedFor = (entry: QueueEntry, { table }: WorldView): boolean =>
  [...table.openLaunches.values()].some(({ jobs }) => jobs.some((job) => jobName(job) === jobName(entry)));

function isFreeFor(entry: QueueEntry, node: Node, { changed, now }: { changed: Changed; now: WorldView }): boolean {
  const { id, state, readyAtMs = now.nowMs, lastBusyMs, team = entry.team, offer } = node;
  if (now.table.overrides.get(node.pool)?.nodes[id]) return false;
  if (state !== "ready" || team !== entry.team || (offer.market === "spot" && !entry.spot) || entry.zones.length > 0) return false;
  const freeMs = Math.max(readyAtMs, lastBusyMs, changed.nodes.get(id) ?? 0);
  return now.nowMs - freeMs > actsWithinMs && isHeard(node, now) && fits(entry.needs, freeOn(node));
}
