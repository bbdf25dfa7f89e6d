import { type AttemptRef, afterLoss, isEnded, type Job, type JobChange, type JobState } from "../../model/job.ts";
import { type Assignment, freeOn, type Node } from "../../model/node.ts";
import { isHeard } from "../health/dead-nodes.ts";

/** What a worker says of one attempt (the shape of a report, without its wire). */
export type Report = AttemptRef &
  (
    | { readonly phase: "running"; readonly startedAtMs: number }
    | {
        readonly phase: "exited";
        readonly startedAtMs: number;
        readonly exitCode: number;
        readonly reason?: string | undefined;
        readonly uploads?: boolean | undefined;
      }
    | { readonly phase: "uploaded"; readonly startedAtMs?: number | undefined }
    | { readonly phase: "failed"; readonly reason: string; readonly again: boolean; readonly uploads?: boolean | undefined }
    | { readonly phase: "stopped"; readonly reason: string; readonly uploads?: boolean | undefined }
  );

export type Verdict =
  /** Put this on record; `forget`: then the worker is done with the attempt. */
  | {
      readonly kind: "change";
      readonly job?: JobChange | undefined;
      readonly assignment: "running" | "uploading" | "removed";
      readonly forget: boolean;
      /** What it uploaded waits to be sealed, though its job does not wait for that. */
      readonly toSeal?: true | undefined;
    }
  /** Nothing to write, go on. */
  | { readonly kind: "keep" }
  /** The worker may forget it. */
  | { readonly kind: "forget" }
  /** It is this node's no more: stop it and change nothing. */
  | { readonly kind: "stop"; readonly because: string };

/** Upload and download troubles that are not the job's fault are tried again at least this often. */
const leastTries = 3;

/**
 * What a report means. `held` is the node's own assignment of exactly this attempt: without it the worker has lost
 * the attempt to somebody else, and whatever it says changes nothing.
 *
 * An attempt whose worker has something to upload stays on its node when it ends, whatever becomes of its job. The job does not
 * wait for that, unless the run ended well: it may be over, or run elsewhere as its next attempt, before the upload ends.
 *
 * A gang ends well when its first member does, as Kubeflow's PyTorchJob does with its master: by then the others have
 * nothing to add, and only the first keeps artifacts. Any member that ends otherwise before that ends the attempt of all.
 */
export function judgeReport(report: Report, job: Job | undefined, held: Assignment | undefined): Verdict {
  if (!held) return isUseless(report) ? { kind: "forget" } : { kind: "stop", because: "the attempt is no longer this node's" };
  if (held.phase === "uploading" && !isUnderWay(job, held)) return judgeUpload(report, job, held);
  if (job && !isOver(job, held)) return judgeWork(report, job, held);
  return hasStopped(report) ? off(report, held) : { kind: "stop", because: "the attempt has ended" };
}

/** Of the attempt that counts. */
function judgeWork(report: Report, job: Job, held: Assignment): Verdict {
  if (job.state === "cancelled") {
    return isLast(report) || uploads(report) ? off(report, held) : { kind: "stop", because: "the job was cancelled" };
  }
  switch (report.phase) {
    case "running":
      return running(report, job, held);
    case "exited":
      return exited(report, job, held);
    case "uploaded":
      return isFirst(held) ? uploaded(report, job) : removed();
    case "failed":
      return mayRequeue(job.state) ? off(report, held, failed(report, job, held)) : off(report, held);
    case "stopped":
      return mayRequeue(job.state) ? off(report, held, requeued(job, said(held, report.reason))) : off(report, held);
  }
}

/** The end of the attempt is on record, and what its worker says now is about the upload only. */
function judgeUpload(report: Report, job: Job | undefined, held: Assignment): Verdict {
  if (report.phase === "running" || uploads(report)) return { kind: "keep" };
  if (report.phase === "uploaded") return waitsForUpload(job, held) ? removed() : uploadOver(job, held);
  if (!job || !waitsForUpload(job, held)) return endOfUpload(report, job, held);
  switch (report.phase) {
    case "exited":
      return report.exitCode === 0 ? { kind: "keep" } : removed();
    case "failed":
      return removed(failed(report, job, held));
    case "stopped":
      return removed(requeued(job, said(held, report.reason)));
  }
}

/**
 * Of an attempt whose job does not wait for it: its end, told again without anything to upload, means that the upload is over. A
 * worker of an earlier release uploads after code 0 without saying so.
 */
function endOfUpload(report: Report, job: Job | undefined, held: Assignment): Verdict {
  const goesOn = report.phase === "exited" && report.exitCode === 0 && job !== undefined && !isOver(job, held);
  if (!goesOn) return uploadOver(job, held);
  return job.state === "cancelled" ? { kind: "stop", because: "the job was cancelled" } : { kind: "keep" };
}

/** A gang's other members upload their logs only, which wait for nothing. */
function uploadOver(job: Job | undefined, held: Assignment): Verdict {
  const isSealed = job?.attempt === held.attempt && job.state === "succeeded";
  return isFirst(held) && !isSealed ? { ...removed(), toSeal: true } : removed();
}

/** Whether it is on record that the attempt is at work, and the end of it is still to come. */
const isUnderWay = (job: Job | undefined, held: Assignment): boolean =>
  job?.attempt === held.attempt && isFirst(held) && (job.state === "placed" || job.state === "running");

/** Whether the job's end depends on this upload: it ended well, and is the first member's of the attempt that counts. */
const waitsForUpload = (job: Job | undefined, held: Assignment): boolean =>
  job?.attempt === held.attempt && job.state === "sealing" && isFirst(held);

/** Whether an earlier run of the worker had begun it, and this one only tells that nothing of it runs any more. */
export const wasLost = (report: Report, held: Assignment | undefined, process: string): held is Assignment =>
  report.phase === "stopped" && held?.phase === "running" && held.process !== undefined && held.process !== process;

/**
 * What a restart of the worker means for an attempt that its last run had and this one has not. A job that takes its worker
 * down with it each time would else run for ever: what had begun counts as a node that was lost.
 */
export function judgeLost(job: Job | undefined, held: Assignment, mostLosses?: number): Verdict {
  if (!job || isOver(job, held) || !mayRequeue(job.state)) return removed();
  if (held.phase === "uploading" && !isFirst(held)) return removed();
  const reason = said(held, "the worker was restarted and lost the run");
  const { state: to, ...lost } = afterLoss(job, { reason, mostLosses: held.phase === "running" ? mostLosses : undefined });
  return removed({ from: job.state, to, failed: false, ...lost });
}

/** Nothing follows such a report. */
const isLast = ({ phase }: Report): boolean => phase === "stopped" || phase === "failed" || phase === "uploaded";
const isUseless = (report: Report): boolean => isLast(report) || (report.phase === "exited" && report.exitCode !== 0);
const uploads = (report: Report): boolean => "uploads" in report && report.uploads === true;
const hasStopped = (report: Report): boolean => isLast(report) || report.phase === "exited";

/** The node holds it still, but it has ended: for all of its gang, or with its first member's success for the others. */
const isOver = (job: Job, { attempt, rank }: Assignment): boolean =>
  job.attempt !== attempt || (rank !== undefined && isEnded(job.state)) || (rank !== undefined && rank > 0 && job.state === "sealing");

const isFirst = ({ rank }: Assignment): boolean => rank === undefined || rank === 0;
const said = ({ rank }: Assignment, reason: string): string => (rank === undefined ? reason : `member ${rank}: ${reason}`);
const requeued = ({ state }: Job, reason: string): JobChange => ({ from: state, to: "queued", reason, failed: false });

/** A gang runs when the first of its members does; each is noted to have it. */
function running({ startedAtMs }: Extract<Report, { phase: "running" }>, job: Job, held: Assignment): Verdict {
  if (job.state === "placed") {
    const to = { from: "placed", to: "running", startedAtMs, failed: false } as const;
    return { kind: "change", job: to, assignment: "running", forget: false };
  }
  return held.rank !== undefined && held.phase === "placed" ? { kind: "change", assignment: "running", forget: false } : { kind: "keep" };
}

function exited(report: Extract<Report, { phase: "exited" }>, job: Job, held: Assignment): Verdict {
  const { exitCode, startedAtMs } = report;
  if (exitCode === 0) {
    if (!isFirst(held)) return off(report, held);
    return job.state === "placed" || job.state === "running"
      ? {
          kind: "change",
          job: { from: job.state, to: "sealing", exitCode, startedAtMs, failed: false },
          assignment: "uploading",
          forget: false,
        }
      : { kind: "keep" };
  }
  if (job.state !== "placed" && job.state !== "running") return off(report, held);
  const retries = job.spec?.retries ?? 0;
  const to = job.failures < retries ? "queued" : "failed";
  const reason = said(held, `exit code ${exitCode}${report.reason ? `: ${report.reason}` : ""}`);
  return off(report, held, { from: job.state, to, reason, exitCode, startedAtMs, failed: true });
}

/** Its exit may never have got on record: without that nobody would seal it, nor run it again. */
function uploaded({ startedAtMs }: Extract<Report, { phase: "uploaded" }>, job: Job): Verdict {
  if (job.state !== "placed" && job.state !== "running") return removed();
  return removed({ from: job.state, to: "sealing", exitCode: 0, startedAtMs, failed: false });
}

function failed(report: Extract<Report, { phase: "failed" }>, job: Job, held: Assignment): JobChange {
  const tries = Math.max(job.spec?.retries ?? 0, leastTries - 1);
  const to = report.again && job.failures < tries ? "queued" : "failed";
  return { from: job.state, to, reason: said(held, report.reason), failed: true };
}

const removed = (job?: JobChange): Extract<Verdict, { kind: "change" }> => ({ kind: "change", job, assignment: "removed", forget: true });

/** The attempt is off the node, or stays there while it only uploads. */
function off(report: Report, held: Assignment, job?: JobChange): Verdict {
  if (report.phase === "uploaded") return uploadOver(undefined, held);
  return uploads(report) ? { kind: "change", job, assignment: "uploading", forget: false } : removed(job);
}

const mayRequeue = (state: JobState): boolean => state === "placed" || state === "running" || state === "sealing";

/** Right after a node was freed: what takes its place is decided within a second, and starts with the node's next call. */
export const soonMs = 1_000;
const soonForMs = 5_000;

/** How soon a worker calls again, ms: at once while it was just freed, often while it could take more work, seldom while it is full. */
export function callAgainMs(node: Pick<Node, "assignments" | "type" | "lastBusyMs">, nowMs: number): number {
  const free = freeOn(node);
  const full = node.type.resources.gpus > 0 ? free.gpus < 1 : free.vcpus < 1;
  if (full) return 10_000;
  return nowMs - node.lastBusyMs < soonForMs ? soonMs : 2_000;
}

/** The nodes of a gang's other members that hold the attempt still, as they are. One that has ended well is missed by nobody. */
export type Peers = readonly { readonly rank: number; readonly node: Node }[];

/**
 * A gang's program fails on the other nodes as soon as one of its members is gone, often before anybody tells us why: while
 * a member's node is taken back, ending or silent, a failure of another counts as that loss and not as the program's own.
 */
export function excused(verdict: Verdict, peers: Peers, nowMs: number): Verdict {
  if (verdict.kind !== "change" || !verdict.job?.failed || verdict.job.from === "sealing") return verdict;
  const missed = peers.find(({ node }) => node.notice?.kind === "interruption" || !isAtWork(node, nowMs));
  if (!missed) return verdict;
  const reason = `${verdict.job.reason ?? "a member failed"}, while member ${missed.rank} was being lost with its node`;
  return { ...verdict, job: { ...verdict.job, to: "queued", failed: false, reason } };
}

/** One that only drains has not lost what it runs. */
const isAtWork = (node: Node, nowMs: number): boolean => isHeard(node.state === "draining" ? { ...node, state: "ready" } : node, nowMs);

/**
 * Why an attempt must leave its node now; undefined when it may go on. After an interruption all that runs stops, so that it
 * starts elsewhere before the two minutes are over. After a recommendation, or when the node is drained, only what has not
 * begun does, and the rest of a drained node when its time is up. What only uploads goes on: it may be done in time, and if
 * it is not, the end of the instance gives the job back.
 */
export function whyLeave({ notice, drain }: Pick<Node, "notice" | "drain">, phase: Assignment["phase"], nowMs: number): string | undefined {
  if (phase === "uploading") return undefined;
  if (notice?.kind === "interruption") return "EC2 takes the instance back (spot interruption)";
  const begun = phase !== "placed";
  if (notice && !begun) return "EC2 may soon take the instance back (rebalance recommendation)";
  return drain && (!begun || nowMs >= drain.untilMs) ? `its node is drained: ${drain.because}` : undefined;
}
