import { byTurn } from "../../model/job.ts";
import type { Node } from "../../model/node.ts";
import type { NodeSnapshot, Snapshot, Step } from "../../model/plan.ts";
import { defaultIslandHours, type Pool } from "../../model/pool.ts";
import { bury } from "../health/dead-nodes.ts";
import { lookUps } from "../health/look-ups.ts";

/** Jobs that run in a pool that was removed from the configuration may go on for this long. */
const drainMs = 3_600_000;
/** The most jobs that one decision fails: each is a transaction, and a run has 20 s. The next decision follows at once. */
const maxFails = 1_000;

/** Returns a pool that is in the table but no longer in the configuration. It buys nothing. */
export const closingPool = (name: string): Pool => ({
  name,
  families: [],
  markets: [],
  limits: { usdPerHour: 0, gpus: 0 },
  idleSeconds: 0,
  bootSeconds: 600,
  silentSeconds: 1_800,
  islandHours: defaultIslandHours,
  drainSeconds: drainMs / 1000,
  disruption: { share: 1 },
  maxLosses: 3,
  maxQueuedJobs: 0,
  shared: false,
  teams: [],
  containers: true,
  fallbackSeconds: 0,
  closing: true,
});

/** A part of the plan, with the times at which to decide again. */
type Ending = { readonly steps: readonly Step[]; readonly wakesMs: readonly (number | undefined)[] };

/** Ends the nodes of such a pool that hold nothing at once, the others when their jobs have ended, at most an hour from now. */
export function emptied(snapshot: NodeSnapshot): Ending {
  const { nowMs, pool, nodes, openLaunches } = snapshot;
  const because = whyClosing(pool);
  const dead = bury(snapshot);
  const judged = new Set(dead.steps.flatMap((step) => ("node" in step ? [step.node] : [])));
  const others = nodes.filter(({ id }) => !judged.has(id));
  const leaves = others.flatMap((node) => leave(node, { because, untilMs: nowMs + drainMs }));
  const leaving = new Set(leaves.flatMap((step) => ("node" in step ? [step.node] : [])));
  const looks = lookUps(
    others.filter(({ id }) => !leaving.has(id)),
    snapshot,
  );
  const ahead = nodes.flatMap(({ drain }) => drain?.untilMs ?? []).filter((atMs) => atMs > nowMs);
  return {
    steps: [...dead.steps, ...leaves, ...looks],
    wakesMs: [...dead.wakesMs, ...(openLaunches.length > 0 ? [nowMs + 5_000] : []), ...ahead],
  };
}

/** Fails the jobs that wait in such a pool with a reason, because it is unknown which other pool the team would choose. */
export function failed({ pool, queue, queued = 0, nowMs }: Pick<Snapshot, "pool" | "queue" | "queued" | "nowMs">): Ending {
  const because = `${whyClosing(pool)}; submit the job to another pool`;
  const steps = queue
    .toSorted(byTurn)
    .slice(0, maxFails)
    .map((entry): Step => ({ kind: "fail", attempt: entry, failure: "pool-removed", because }));
  return { steps, wakesMs: Math.max(queue.length, queued) > steps.length ? [nowMs] : [] };
}

const whyClosing = ({ name }: Pool): string => `pool ${name} was removed from the configuration`;

function leave({ id, state, assignments, drain }: Node, { because, untilMs }: { because: string; untilMs: number }): Step[] {
  if (state !== "launching" && state !== "ready" && state !== "draining") return [];
  if (assignments.length === 0) return state === "draining" ? [] : [{ kind: "retire", node: id, because }];
  return drain ? [] : [{ kind: "drain", node: id, untilMs, because }];
}
