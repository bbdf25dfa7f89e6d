import { isPaused } from "../../decide/overrides/paused.ts";
import { isEnded, jobName } from "../../model/job.ts";
import type { Node } from "../../model/node.ts";
import type { Fact } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import { atMostEvery, type Invariant, type InvariantBreach } from "./invariant.ts";

/** 10: whatever one team sends, the jobs of others begin in time, and nodes end and drain in time. Only some scenarios demand it. */
export const prompt: Invariant = {
  number: 10,
  name: "no flood delays others",
  says: "While a team floods a pool, the jobs of other teams begin within the scenario's time, idle nodes end, and old nodes drain.",
  watch: (seen) => {
    /** The other teams' jobs that have not begun, by name, with the time since which they wait. */
    const waiting = new Map<string, number>();
    const isDue = atMostEvery(checkEveryMs);
    let promptSeconds: number | undefined;
    return {
      on: (fact) => {
        promptSeconds ??= seen().scenario.promptSeconds ?? Number.POSITIVE_INFINITY;
        if (promptSeconds === Number.POSITIVE_INFINITY) return undefined;
        if (fact.kind === "began") waiting.delete(jobName(fact));
        if (fact.kind === "job") note(fact, { waiting, now: seen() });
        if (fact.kind !== "invoked") return undefined;
        const now = seen();
        if (!isDue(now.nowMs)) return undefined;
        return late(waiting, now, now.nowMs - promptSeconds * 1000);
      },
    };
  },
};

function late(waiting: Map<string, number>, now: WorldView, beforeMs: number): InvariantBreach {
  // A new deployment has no prices until its first tick.
  if (now.table.catalogues.size < now.pools.length) for (const name of waiting.keys()) waiting.set(name, now.nowMs);
  for (const name of waiting.keys())
    if (isPaused(now.table.overrides.get(now.table.jobs.get(name)?.pool ?? ""))) waiting.set(name, now.nowMs);
  return lateJob(waiting, beforeMs) ?? [...now.table.nodes.values()].map(({ node }) => lateNode(node, now, beforeMs)).find((each) => each);
}

const checkEveryMs = 1_000;

type JobFact = Extract<Fact, { kind: "job" }>;

function note({ before, after }: JobFact, { waiting, now }: { waiting: Map<string, number>; now: WorldView }): void {
  if (after.team === now.scenario.flood?.team) return;
  if (!before && after.state === "queued") waiting.set(jobName(after), now.nowMs);
  if (isEnded(after.state)) waiting.delete(jobName(after));
}

function lateJob(waiting: ReadonlyMap<string, number>, beforeMs: number): InvariantBreach {
  const late = [...waiting].find(([, sinceMs]) => sinceMs < beforeMs);
  return late && `${late[0]} has not begun, although it was submitted ${Math.round((beforeMs - late[1]) / 1000)} s before it should have`;
}

/** Reports a node that has been idle, or has lived, for too long and is neither drained nor ended. */
function lateNode(node: Node, { pools, table }: WorldView, beforeMs: number): InvariantBreach {
  const pool = pools.find(({ name }) => name === node.pool);
  if (!pool || (node.state !== "launching" && node.state !== "ready")) return undefined;
  if (node.launchedAtMs + (pool.maxLifetimeSeconds ?? Number.POSITIVE_INFINITY) * 1000 < beforeMs)
    return `${node.id} is older than pool ${pool.name} allows, and is not drained`;
  const dueMs = Math.max(idleSinceMs(node) + pool.idleSeconds * 1000, keptUntilMs(pool.name, table));
  return dueMs < beforeMs ? `${node.id} has been idle, and was not ended` : undefined;
}

/** Returns until when an admin has set a minimum of the pool, for which idle nodes may stay; 0 if none. */
export const keptUntilMs = (pool: string, { overrides }: WorldView["table"]): number =>
  overrides.get(pool)?.settings?.minNodes?.untilMs ?? 0;

/** Returns since when a node has been idle; infinity if it is not. */
export const idleSinceMs = ({ assignments, lastBusyMs, readyAtMs = Number.POSITIVE_INFINITY, gpusBusyAtMs = 0 }: Node): number =>
  assignments.length > 0 ? Number.POSITIVE_INFINITY : Math.max(lastBusyMs, readyAtMs, gpusBusyAtMs);
