import { type Job, jobName } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import { isLive, type Node } from "../../model/node.ts";
import type { Overrides } from "../../model/overrides/overrides.ts";
import type { Fact } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** A decision that has read a job before it changed may still write for this long. */
const graceMs = 60_000;

/** 16: never more is begun than is needed. */
export const needed: Invariant = {
  number: 16,
  name: "no more than needed",
  says: "Nodes are launched only for jobs that wait or must leave their nodes, no more than these need, no two launches are for one job, and for a pool's minimum no more than it lacks, and not again and again.",
  watch: (seen) => {
    /** When each job last left the queue or a node, and when its pool was last another. */
    const changedMs = new Map<string, number>();
    const intended = new Set<string>();
    const steady = steadiness();
    return {
      on: (fact) => {
        const tooOften = steady(fact, seen());
        if (tooOften !== undefined) return tooOften;
        if (fact.kind === "job") changedMs.set(jobName(fact.after), seen().nowMs);
        if (fact.kind !== "intended" || intended.has(fact.launch.id)) return undefined;
        intended.add(fact.launch.id);
        return unneeded(fact.launch, changedMs, seen());
      },
    };
  },
};

function unneeded(launch: Launch, changedMs: ReadonlyMap<string, number>, now: WorldView): InvariantBreach {
  const { id, jobs, count, replaces } = launch;
  if (replaces !== undefined) return twiceReplaced(launch, now);
  if (jobs.length === 0) return beyondMinimum(launch, now);
  const its = jobs.map((job) => now.table.jobs.get(jobName(job)));
  const nodes = its.reduce((sum, job) => sum + (job?.spec?.nodes ?? 1), 0);
  if (count > nodes) return `launch ${id} asks for ${count} nodes, but its jobs need ${nodes}`;
  const names = new Set(jobs.map(jobName));
  const other = [...now.table.openLaunches.values()].find((each) => each.id !== id && each.jobs.some((job) => names.has(jobName(job))));
  if (other) return `launch ${id} is for ${[...names].join(", ")}, for which launch ${other.id} is still open`;
  const content = its.find((job) => job && job.state !== "queued" && now.nowMs - (changedMs.get(jobName(job)) ?? 0) > graceMs);
  return content && `launch ${id} is for ${jobName(content)}, which has been ${content.state} for a while`;
}

function beyondMinimum({ id, pool, count }: Launch, { table, nowMs }: WorldView): InvariantBreach {
  const overrides = table.overrides.get(pool);
  const set = overrides?.settings?.minNodes;
  if (!set || nowMs - (set.untilMs ?? nowMs) > graceMs) return `launch ${id} is for no job`;
  // A node that was cordoned does not count, and the decision may have read that before the order was taken back.
  if (ordersSince(overrides, Math.max(set.sinceMs, nowMs - graceMs)) > 0) return undefined;
  const isKept = (node: Node): boolean => node.pool === pool && isLive(node) && !Object.hasOwn(overrides.nodes, node.id);
  const nodes = [...table.nodes.values()].filter(({ node }) => isKept(node)).length;
  const launched = [...table.openLaunches.values()].filter((each) => each.pool === pool && each.id !== id);
  const there = launched.reduce((sum, each) => sum + each.count, nodes);
  return there + count <= set.value
    ? undefined
    : `launch ${id} asks for ${count} nodes, but pool ${pool} has ${there} of the ${set.value} that it keeps`;
}

const ordersSince = ({ history }: Overrides, sinceMs: number): number => history.filter(({ atMs }) => atMs > sinceMs).length;

function twiceReplaced({ id, replaces }: Launch, { table }: WorldView): InvariantBreach {
  const other = [...table.openLaunches.values()].find((each) => each.id !== id && each.replaces === replaces);
  return other && `launch ${id} replaces ${replaces}, which launch ${other.id} replaces already`;
}

const hourMs = 3_600_000;

/**
 * Returns a check that a minimum does not launch nodes that end idle, again and again. In any hour, a pool may launch its minimum once, once
 * more for each job that was in its queue and left it and for each other order of an admin, because the minimum may have given way to these,
 * and one node for each that ended for another reason than that it was idle.
 */
function steadiness(): (fact: Fact, now: WorldView) => InvariantBreach {
  const poolOf = new Map<string, string>();
  const idle = new Set<string>();
  const events: { readonly pool: string; readonly what: Turn["what"]; readonly atMs: number }[] = [];
  const turnOf = (fact: Fact): Turn | undefined => {
    if (fact.kind === "ended") return idle.has(fact.id) ? undefined : { pool: poolOf.get(fact.id) ?? "", what: "lost" };
    if (fact.kind === "job") return fact.before && hasLeft(fact.before, fact.after) ? { pool: fact.before.pool, what: "left" } : undefined;
    return fact.kind === "instance" && isForMinimum(fact.launch) ? { pool: fact.launch.pool, what: "kept" } : undefined;
  };
  return (fact, { table, nowMs: atMs }) => {
    for (const node of idleIn(fact)) idle.add(node);
    if (fact.kind === "instance") poolOf.set(fact.id, fact.launch.pool);
    const turn = turnOf(fact);
    const overrides = turn && table.overrides.get(turn.pool);
    const set = overrides?.settings?.minNodes;
    if (!turn || !overrides || !set) return undefined;
    events.push({ ...turn, atMs });
    const count = (what: Turn["what"]): number =>
      events.filter((each) => each.pool === turn.pool && each.what === what && atMs - each.atMs < hourMs).length;
    const most = set.value * (1 + count("left") + ordersSince(overrides, Math.max(set.sinceMs, atMs - hourMs))) + count("lost");
    const came = count("kept");
    return turn.what === "kept" && came > most
      ? `EC2 launched ${came} nodes within an hour for the ${set.value} that pool ${turn.pool} keeps, and ${most} were enough`
      : undefined;
  };
}

/** What happened in a pool: EC2 launched a node for its minimum (`kept`), a node ended that was not idle, or a job left its queue. */
type Turn = { readonly pool: string; readonly what: "kept" | "lost" | "left" };

const isForMinimum = ({ jobs, replaces }: Launch): boolean => jobs.length === 0 && replaces === undefined;

const idleIn = (fact: Fact): readonly string[] =>
  fact.kind === "decided"
    ? fact.decision.plan.steps.flatMap((step) => (step.kind === "retire" && step.because.startsWith("idle for ") ? step.node : []))
    : [];

const hasLeft = (before: Job, after: Job): boolean => before.state === "queued" && (after.state !== "queued" || after.pool !== before.pool);
