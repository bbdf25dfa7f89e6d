import { breakers } from "../../model/breaker.ts";
import { unheardAfterMs } from "../../model/heartbeat/heartbeat.ts";
import { freeOn } from "../../model/node.ts";
import type { Snapshot } from "../../model/plan.ts";
import { isStuck } from "../../model/values/back-off.ts";
import { budgetRoom, type ScopeRoom } from "../budget/budget-room.ts";
import { spentMicro } from "../budget/spent-so-far.ts";
import { waitsForProof } from "./waits-for-proof.ts";

/** The state of a pool in the numbers that its metrics and alarms use. */
export type PoolNumbers = {
  /** Nodes that boot, work or drain. */
  readonly nodes: number;
  readonly gpus: number;
  readonly nodesByState: Readonly<Record<(typeof countedStates)[number], number>>;
  /** GPUs that attempts hold which run or are about to. */
  readonly gpusInUse: number;
  /** Mean over all GPUs with a recent sample, 0 to 100; undefined if there are none. */
  readonly gpuUtilization?: number | undefined;
  readonly queuedJobs: number;
  /** The age of the job that has waited longest; 0 if no job waits. */
  readonly oldestQueuedSeconds: number;
  readonly reservedUsdPerHour: number;
  /** Instance types in zones that do not boot with the pool's image. */
  readonly openBreakers: number;
  /** What nodes have cost in the present UTC day and month, as far as it can be read. */
  readonly dayUsd: number;
  readonly monthUsd: number;
  /** The part of the pool's budgets that is used, in percent: of the one that is used most; undefined without a budget. */
  readonly budgetUsedPercent?: number | undefined;
  /** The same of the budgets of teams in the pool. */
  readonly teamBudgetUsedPercent?: number | undefined;
  /** Items of the table that this release cannot read. */
  readonly unreadableItems: number;
  /** What has failed several times in a row and is tried again. */
  readonly stuckSteps: number;
  /** Nodes whose work can start elsewhere only when EC2 says that they have ended. */
  readonly waitingNodes: number;
};

const countedStates = ["launching", "ready", "draining"] as const;

/** `queued`: the number of waiting jobs, because the queue may have been read in part. */
export function poolNumbers(seen: Snapshot & { readonly queued: number }): PoolNumbers {
  const { nowMs } = seen;
  const budget = budgetRoom(seen);
  const nodes = seen.nodes.filter(({ state }) => countedStates.some((each) => each === state));
  const inState = (state: (typeof countedStates)[number]): number => nodes.filter((node) => node.state === state).length;
  const samples = nodes
    .filter(({ gpusAtMs }) => gpusAtMs !== undefined && nowMs - gpusAtMs < unheardAfterMs)
    .flatMap(({ gpus = [] }) => gpus.flatMap(({ utilizationPercent }) => utilizationPercent ?? []));
  const oldestMs = seen.queue.reduce((oldest, { submittedAtMs }) => Math.min(oldest, submittedAtMs), nowMs);
  return {
    nodes: nodes.length,
    gpus: nodes.reduce((sum, { type }) => sum + type.resources.gpus, 0),
    nodesByState: { launching: inState("launching"), ready: inState("ready"), draining: inState("draining") },
    gpusInUse: nodes.reduce((total, node) => total + node.type.resources.gpus - freeOn(node).gpus, 0),
    gpuUtilization: samples.length > 0 ? samples.reduce((sum, percent) => sum + percent, 0) / samples.length : undefined,
    queuedJobs: seen.queued,
    oldestQueuedSeconds: (nowMs - oldestMs) / 1000,
    reservedUsdPerHour: seen.reserved.usdPerHour,
    openBreakers: breakers(seen).length,
    dayUsd: spentMicro("day", seen) / 1e6,
    monthUsd: spentMicro("month", seen) / 1e6,
    budgetUsedPercent: mostUsed([budget]),
    teamBudgetUsedPercent: mostUsed(Object.values(budget.teams)),
    unreadableItems: seen.unreadable?.length ?? 0,
    stuckSteps: (seen.backOffs ?? []).filter(isStuck).length,
    waitingNodes: seen.nodes.filter((node) => waitsForProof(node, nowMs)).length,
  };
}

/** A budget that is used up counts as 100 at least, and so does one of zero. */
function mostUsed(rooms: readonly ScopeRoom[]): number | undefined {
  const used = rooms.flatMap(({ states }) => states.map(({ usedUsd, usd }) => (usd > 0 ? (100 * usedUsd) / usd : 100)));
  return used.length > 0 ? Math.max(...used) : undefined;
}
