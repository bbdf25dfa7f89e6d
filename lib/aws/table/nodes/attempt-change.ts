import { isEnded, isOn, type Job, type JobChange } from "../../../model/job.ts";
import type { AttemptChange, ReportedOn } from "../../../ports/node-ledger.ts";
import type { TableAccess } from "../access.ts";
import { asRead } from "../as-read.ts";
import { add, type Change, either, is, isAbsent, isAtMost, isThere, set, setOnce } from "../expression.ts";
import { enqueue, offNodes, readJob, stateParts } from "../items/job-item.ts";
import { assignmentName, readNode } from "../items/node-item.ts";
import { beginSealing } from "../jobs/sealing.ts";
import { jobKey, nodeKey } from "../keys.ts";
import { type Part, transact } from "../transaction.ts";

/** Writes the changes of a worker's report, if the node still holds exactly this attempt. */
export const changeAttempt = (access: TableAccess, on: ReportedOn, change: AttemptChange): Promise<"done" | "stale"> =>
  asRead(`${change.attempt.team}/${change.attempt.job}`, async () => {
    const job = await readJob(access, change.attempt);
    const held = job?.attempt === change.attempt.attempt && isOn(job, on.node);
    if (change.job && (!held || job.state !== change.job.from)) return wasDone(access, on, change);
    const written = await transact(access, [
      assignmentPart(on, change),
      ...(job && held ? jobParts(on, job, change) : []),
      ...(change.toSeal ? [beginSealing(change.attempt, on.atMs)] : []),
    ]);
    if (written === "done") return "done";
    return written.failed.has(0) ? wasDone(access, on, change) : "changed";
  });

function assignmentPart(on: ReportedOn, { attempt, assignment, untilMs }: AttemptChange): Part {
  const name = assignmentName(attempt);
  const key = nodeKey(on.pool, on.node);
  const when = [
    isThere(["assignments", name]),
    either(isAbsent(["assignments", name, "call"]), isAtMost(["assignments", name, "call"], on.call)),
  ];
  if (assignment === "removed") {
    return { kind: "update", key, changes: [set(["assignments", name], undefined), set("lastBusyMs", on.atMs)], when };
  }
  const changes = [
    set(["assignments", name, "phase"], assignment),
    set(["assignments", name, "process"], on.process),
    set(["assignments", name, "call"], on.call),
    set(["assignments", name, "untilMs"], untilMs),
  ];
  return { kind: "update", key, changes, when };
}

function jobParts(on: ReportedOn, job: Job, { job: to, assignment }: AttemptChange): Part[] {
  const when = [is("state", job.state), is("attempt", job.attempt), is("node", job.node)];
  // A gang's job is on its nodes until it has left the first one.
  if (!to) return assignment === "removed" && job.node === on.node ? [{ kind: "update", key: jobKey(job), changes: offNodes, when }] : [];
  const requeued = to.to === "queued";
  const notBeforeMs = to.pauseMs === undefined ? undefined : on.atMs + to.pauseMs;
  const next = { attempt: job.attempt + 1, reason: to.reason, notBeforeMs };
  const also: Change[] = [
    ...(requeued ? [set("attempt", next.attempt)] : []),
    // A job that has ended or waits again is on no node, although its node may still upload the attempt's files.
    ...(assignment === "removed" || requeued || isEnded(to.to) ? offNodes : []),
    ...runChanges(to),
  ];
  return [
    ...stateParts(job, { ...to, state: to.to }, { atMs: on.atMs, also, when }),
    ...(requeued ? enqueue(job, next) : []),
    ...(to.to === "sealing" ? [beginSealing(job, on.atMs)] : []),
  ];
}

const runChanges = ({ exitCode, startedAtMs, failed, losses, unstarted, troubles }: JobChange): Change[] => [
  ...(unstarted === undefined ? [] : [set("unstarted", unstarted || undefined)]),
  ...(troubles === undefined ? [] : [set("troubles", troubles)]),
  ...(losses === undefined ? [] : [set("losses", losses)]),
  ...(exitCode === undefined ? [] : [set("exitCode", exitCode)]),
  ...(startedAtMs === undefined ? [] : [setOnce("startedAtMs", startedAtMs)]),
  ...(failed ? [add("failures", 1)] : []),
];

/** Returns `done` if everything is already as the report would make it, because the response to the same report was lost. */
async function wasDone(access: TableAccess, on: ReportedOn, { attempt, job: to, assignment }: AttemptChange): Promise<"done" | "stale"> {
  const [job, node] = await Promise.all([readJob(access, attempt), readNode(access, on.pool, on.node)]);
  if (!to || !job || !node) return "stale";
  const there = node.assignments[assignmentName(attempt)];
  const assigned = assignment === "removed" ? !there : there?.phase === assignment && there.process === on.process;
  const moved = job.state === to.to && job.attempt === (to.to === "queued" ? attempt.attempt + 1 : attempt.attempt);
  return assigned && moved && job.reason === to.reason ? "done" : "stale";
}
