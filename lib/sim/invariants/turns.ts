import { attemptName, jobName, type QueueEntry } from "../../model/job.ts";
import type { Step } from "../../model/plan.ts";
import { isResting } from "../../model/values/back-off.ts";
import type { DecisionRecord } from "../../ports/journal.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** 20: a team's jobs have their turns in the order that the team wants. */
export const turns: Invariant = {
  number: 20,
  name: "priorities hold",
  says: "No job gets a node while one of the same team that wants no more, and has a higher priority or is older, gets none, unless it could not be started lately.",
  watch: (seen) => ({ on: (fact) => (fact.kind === "decided" ? overtaken(fact.decision, seen()) : undefined) }),
};

function overtaken({ id, snapshot, plan }: DecisionRecord, now: WorldView): InvariantBreach {
  if (snapshot.queue.length < 2 || snapshot.queue.length > manyEntries) return undefined;
  // Where one launch tries an offer for all, the next decision launches for the others.
  if (plan.wakeAtMs !== undefined && plan.wakeAtMs <= snapshot.nowMs) return undefined;
  const placed = new Set(plan.steps.flatMap(placedBy));
  const served = new Set([...placed, ...plan.steps.flatMap(sentAwayBy)]);
  const launching = new Set([...snapshot.openLaunches, ...(snapshot.unreadable ?? [])].flatMap(({ jobs = [] }) => jobs.map(jobName)));
  const resting = new Set((snapshot.backOffs ?? []).filter((each) => isResting(each, snapshot.nowMs)).map(({ subject }) => subject));
  // The jobs of a launch that rests wait for it, and others may be launched for meanwhile.
  if ([...resting].some((subject) => subject.startsWith("launch "))) return undefined;
  const rests = (entry: QueueEntry): boolean => (entry.notBeforeMs ?? 0) > snapshot.nowMs || resting.has(`place ${attemptName(entry)}`);
  const mayStart = (entry: QueueEntry): boolean => !launching.has(jobName(entry)) && !rests(entry);
  const left = snapshot.queue.filter((entry) => !served.has(jobName(entry)) && mayStart(entry) && entry.nodes === 1);
  const got = snapshot.queue.filter((entry) => placed.has(jobName(entry)) && entry.nodes === 1);
  for (const entry of got) {
    const first = left.find((each) => each.team === entry.team && wantsNoMore(each, entry) && goesFirst(each, entry, now));
    if (first) return `decision ${id} gives ${jobName(entry)} a node, but none to ${jobName(first)}, whose turn is before that`;
  }
  return undefined;
}

/** Pairs of entries are compared, so decisions about more entries than this are not checked. */
const manyEntries = 200;

/** Returns the jobs that a step gives a node. */
function placedBy(step: Step): readonly string[] {
  if (step.kind === "bind" || step.kind === "bind-gang") return [jobName(step.entry)];
  return step.kind === "launch" ? step.launch.jobs.map(jobName) : [];
}

/** Returns the jobs that wait in the pool no more after a step. Each moves when it has waited there for long enough, whatever its turn is. */
function sentAwayBy(step: Step): readonly string[] {
  if (step.kind === "move") return [jobName(step.entry)];
  return step.kind === "fail" ? [jobName(step.attempt)] : [];
}

function wantsNoMore(a: QueueEntry, b: QueueEntry): boolean {
  const conditions = ({ gpu, spot, zones }: QueueEntry): string => JSON.stringify([gpu, spot, zones]);
  const { vcpus, memoryGiB, gpus } = a.needs;
  return vcpus <= b.needs.vcpus && memoryGiB <= b.needs.memoryGiB && gpus <= b.needs.gpus && conditions(a) === conditions(b);
}

/** Compares what the team has asked for, whatever the decision has read. */
function goesFirst(a: QueueEntry, b: QueueEntry, { table }: WorldView): boolean {
  const [one, other] = [table.jobs.get(jobName(a)), table.jobs.get(jobName(b))];
  if (!one?.spec || !other?.spec) return false;
  if (one.spec.priority !== other.spec.priority) return one.spec.priority > other.spec.priority;
  return one.submittedAtMs < other.submittedAtMs;
}
