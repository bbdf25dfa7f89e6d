import { type AttemptRef, afterLoss, isEnded, type Job, type JobChange, type JobState } from "../../model/job.ts";
import { type Assignment, freeOn, isFirstMember, type Node } from "../../model/node.ts";
import { whyOverdue } from "../../model/values/attempt-times.ts";
import { isResponsive } from "../health/dead-nodes.ts";
import { afterTrouble, isTrouble } from "./trouble.ts";

/** A worker's report about one attempt, independent of its wire format. */
export type AttemptReportFacts = AttemptRef &
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

export type ReportVerdict =
  /** Record this. If `forget`, the worker is then done with the attempt. */
  | {
      readonly kind: "change";
      readonly job?: JobChange | undefined;
      readonly assignment: "running" | "uploading" | "removed";
      readonly forget: boolean;
      /** What the attempt uploaded still has to be sealed, although its job does not wait for that. */
      readonly toSeal?: true | undefined;
    }
  /** Nothing to write; the attempt goes on. */
  | { readonly kind: "keep" }
  /** The worker may forget the attempt. */
  | { readonly kind: "forget" }
  /** The attempt no longer belongs to this node: stop it and change nothing. */
  | { readonly kind: "stop"; readonly because: string };

/**
 * Returns what a report means. `held` is the node's own assignment of exactly this attempt: if it is undefined, the attempt no longer
 * belongs to the node, and the report must change nothing.
 *
 * If the worker has something to upload, the attempt stays on its node when it ends, whatever happens to its job. The job does not
 * wait for the upload unless the run ended well: it may be over, or run elsewhere as its next attempt, before the upload ends.
 *
 * A gang ends well when its first member does, as Kubeflow's PyTorchJob does with its master, because the others have
 * nothing to add by then, and only the first keeps artifacts. If any member ends otherwise before that, the attempt ends for all.
 */
export function judgeReport(report: AttemptReportFacts, job: Job | undefined, held: Assignment | undefined): ReportVerdict {
  if (!held) return isUseless(report) ? { kind: "forget" } : { kind: "stop", because: "the attempt no longer belongs to this node" };
  if (held.phase === "uploading" && !isUnderWay(job, held)) return judgeUpload(report, job, held);
  if (job && !isOver(job, held)) return judgeWork(report, job, held);
  return hasStopped(report) ? off(report, held) : { kind: "stop", because: "the attempt has ended" };
}

/** Judges a report about the job's current attempt. */
function judgeWork(report: AttemptReportFacts, job: Job, held: Assignment): ReportVerdict {
  if (job.state === "cancelled") {
    return isLast(report) || uploads(report) ? off(report, held) : { kind: "stop", because: "the job was cancelled" };
  }
  switch (report.phase) {
    case "running":
      return running(report, job, held);
    case "exited":
      return exited(report, job, held);
    case "uploaded":
      return isFirstMember(held.rank) ? uploaded(report, job) : removed();
    case "failed":
      return mayRequeue(job.state) ? off(report, held, failed(report, job, held)) : off(report, held);
    case "stopped":
      return mayRequeue(job.state) ? off(report, held, requeued(job, ofMember(held, report.reason))) : off(report, held);
  }
}

/** Judges a report about an attempt whose end is recorded, so that the report is about the upload only. */
function judgeUpload(report: AttemptReportFacts, job: Job | undefined, held: Assignment): ReportVerdict {
  if (report.phase === "running" || uploads(report)) return { kind: "keep" };
  if (report.phase === "uploaded") return waitsForUpload(job, held) ? removed() : uploadOver(job, held);
  if (!job || !waitsForUpload(job, held)) return endOfUpload(report, job, held);
  switch (report.phase) {
    case "exited":
      return report.exitCode === 0 ? { kind: "keep" } : removed();
    case "failed":
      return removed(failed(report, job, held));
    case "stopped":
      return removed(requeued(job, ofMember(held, report.reason)));
  }
}

/**
 * Judges the end of an attempt whose job does not wait for the upload. If the worker reports the end again with nothing to upload, the
 * upload is over. A worker of an earlier release uploads after exit code 0 without reporting it.
 */
function endOfUpload(report: AttemptReportFacts, job: Job | undefined, held: Assignment): ReportVerdict {
  const goesOn = report.phase === "exited" && report.exitCode === 0 && job !== undefined && !isOver(job, held);
  if (!goesOn) return uploadOver(job, held);
  return job.state === "cancelled" ? { kind: "stop", because: "the job was cancelled" } : { kind: "keep" };
}

/** Only the first member's upload has to be sealed: a gang's other members upload logs only, which are sealed by themselves. */
function uploadOver(job: Job | undefined, held: Assignment): ReportVerdict {
  const isSealed = job?.attempt === held.attempt && job.state === "succeeded";
  return isFirstMember(held.rank) && !isSealed ? { ...removed(), toSeal: true } : removed();
}

/** Reports whether the attempt is recorded as at work, and not yet as ended. */
const isUnderWay = (job: Job | undefined, held: Assignment): boolean =>
  job?.attempt === held.attempt && isFirstMember(held.rank) && (job.state === "placed" || job.state === "running");

/** Reports whether the job's end depends on this upload: the run ended well, and it is the first member's of the current attempt. */
const waitsForUpload = (job: Job | undefined, held: Assignment): boolean =>
  job?.attempt === held.attempt && job.state === "sealing" && isFirstMember(held.rank);

/** Reports whether an earlier worker process had started the attempt, and this one only reports that nothing of it runs any more. */
export const wasLost = (report: AttemptReportFacts, held: Assignment | undefined, process: string): held is Assignment =>
  report.phase === "stopped" && held?.phase === "running" && held.process !== undefined && held.process !== process;

/**
 * Returns what a restart of the worker means for an attempt that the last process had and this one does not. If the attempt had started,
 * it counts as a lost node, because a job that takes its worker down each time would otherwise run for ever. A process that could not reach
 * the server may have uploaded before it died, and S3's event about that may be lost, so the upload is looked for.
 */
export function judgeLost(job: Job | undefined, held: Assignment, maxLosses?: number): ReportVerdict {
  const mayHaveSent = held.phase !== "placed" && isFirstMember(held.rank);
  return { ...lostRun(job, held, maxLosses), ...(mayHaveSent ? { toSeal: true as const } : {}) };
}

function lostRun(job: Job | undefined, held: Assignment, maxLosses: number | undefined): Extract<ReportVerdict, { kind: "change" }> {
  if (!job || isOver(job, held) || !mayRequeue(job.state)) return removed();
  if (held.phase === "uploading" && !isFirstMember(held.rank)) return removed();
  const reason = ofMember(held, "the worker was restarted and lost the run");
  const { state: to, ...lost } = afterLoss(job, { reason, maxLosses: held.phase === "running" ? maxLosses : undefined });
  return removed({ from: job.state, to, failed: false, ...lost });
}

/** Reports whether a worker sends nothing after this report. */
const isLast = ({ phase }: AttemptReportFacts): boolean => phase === "stopped" || phase === "failed" || phase === "uploaded";
const isUseless = (report: AttemptReportFacts): boolean => isLast(report) || (report.phase === "exited" && report.exitCode !== 0);
const uploads = (report: AttemptReportFacts): boolean => "uploads" in report && report.uploads === true;
const hasSent = (report: AttemptReportFacts): boolean => "uploads" in report && report.uploads === false;
const hasStopped = (report: AttemptReportFacts): boolean => isLast(report) || report.phase === "exited";

/** Reports whether an attempt that the node still holds is over: for its whole gang, or because the gang's first member succeeded. */
const isOver = (job: Job, { attempt, rank }: Assignment): boolean =>
  job.attempt !== attempt || (rank !== undefined && isEnded(job.state)) || (rank !== undefined && rank > 0 && job.state === "sealing");

const ofMember = ({ rank }: Assignment, reason: string): string => (rank === undefined ? reason : `member ${rank}: ${reason}`);
const requeued = ({ state }: Job, reason: string): JobChange => ({ from: state, to: "queued", reason, failed: false });

/** A gang's job runs as soon as one of its members does; each member's own start is recorded too. */
function running({ startedAtMs }: Extract<AttemptReportFacts, { phase: "running" }>, job: Job, held: Assignment): ReportVerdict {
  if (job.state === "placed") {
    const started = job.unstarted === undefined ? {} : { unstarted: 0 };
    const to = { from: "placed", to: "running", startedAtMs, failed: false, ...started } as const;
    return { kind: "change", job: to, assignment: "running", forget: false };
  }
  return held.rank !== undefined && held.phase === "placed" ? { kind: "change", assignment: "running", forget: false } : { kind: "keep" };
}

function exited(report: Extract<AttemptReportFacts, { phase: "exited" }>, job: Job, held: Assignment): ReportVerdict {
  const { exitCode, startedAtMs } = report;
  if (exitCode === 0) {
    if (!isFirstMember(held.rank)) return off(report, held);
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
  const reason = ofMember(held, `exit code ${exitCode}${report.reason ? `: ${report.reason}` : ""}`);
  const failure = to === "failed" ? "runs-failed" : undefined;
  return off(report, held, { from: job.state, to, reason, failure, exitCode, startedAtMs, failed: true });
}

/** The attempt's exit may never have been recorded. It must be now, because otherwise the job would neither be sealed nor run again. */
function uploaded({ startedAtMs }: Extract<AttemptReportFacts, { phase: "uploaded" }>, job: Job): ReportVerdict {
  if (job.state !== "placed" && job.state !== "running") return removed();
  return removed({ from: job.state, to: "sealing", exitCode: 0, startedAtMs, failed: false });
}

function failed(report: Extract<AttemptReportFacts, { phase: "failed" }>, job: Job, held: Assignment): JobChange {
  const { to, ...trouble } = report.again ? afterTrouble(job) : { to: "failed" as const };
  const failure = job.state === "sealing" ? "artifacts-not-kept" : "runs-failed";
  const reason = ofMember(held, report.reason);
  const pauseMs = "pauseMs" in trouble ? trouble.pauseMs : undefined;
  return {
    from: job.state,
    to,
    ...trouble,
    reason: pauseMs === undefined ? reason : `${reason}; the next run follows after a pause of ${pauseMs / 1000} s`,
    failure: to === "failed" ? failure : undefined,
    failed: !report.again,
  };
}

const removed = (job?: JobChange): Extract<ReportVerdict, { kind: "change" }> => ({
  kind: "change",
  job,
  assignment: "removed",
  forget: true,
});

/**
 * Takes the attempt off the node, or leaves it there while it only uploads. A worker that could not reach the server has uploaded before the
 * end is recorded.
 */
function off(report: AttemptReportFacts, held: Assignment, job?: JobChange): ReportVerdict {
  if (report.phase === "uploaded") return uploadOver(undefined, held);
  if (uploads(report)) return { kind: "change", job, assignment: "uploading", forget: false };
  return hasSent(report) && isFirstMember(held.rank) ? { ...removed(job), toSeal: true } : removed(job);
}

const mayRequeue = (state: JobState): boolean => state === "placed" || state === "running" || state === "sealing";

/** When a node calls again after it was freed: what takes the place is decided within a second, and starts with the node's next call. */
export const soonMs = 1_000;
const soonForMs = 5_000;

/** Returns when a worker should call again, ms: very soon if it was just freed, often if it could take more work, seldom if it is full. */
export function callAgainMs(node: Pick<Node, "assignments" | "type" | "lastBusyMs">, nowMs: number): number {
  const free = freeOn(node);
  const full = node.type.resources.gpus > 0 ? free.gpus < 1 : free.vcpus < 1;
  if (full) return 10_000;
  return nowMs - node.lastBusyMs < soonForMs ? soonMs : 2_000;
}

/** Reports whether the run failed, by its own fault or because of trouble that it had, and was not only stopped. */
export const isItsOwn = (change: JobChange): boolean => change.failed || isTrouble(change);

/** The exit code that `timeout(1)` uses for a program that ran too long. */
const tooLongCode = 124;

/**
 * Returns the verdict on an attempt whose time was over. The worker was ordered to stop it, and reports only that it did, so the verdict
 * would let it run again for ever. Instead it counts as a failed run.
 */
export function ofOverdue(
  verdict: ReportVerdict,
  of: { job: Job | undefined; held: Assignment | undefined; nowMs: number },
): ReportVerdict {
  if (verdict.kind !== "change" || verdict.job?.to !== "queued" || isItsOwn(verdict.job) || !of.held) return verdict;
  const why = whyOverdue(of.held, of.nowMs);
  if (why === undefined) return verdict;
  const to = (of.job?.failures ?? 0) < (of.job?.spec?.retries ?? 0) ? "queued" : "failed";
  const exitCode = of.held.phase === "running" ? tooLongCode : verdict.job.exitCode;
  return { ...verdict, job: { ...verdict.job, to, reason: ofMember(of.held, why), exitCode, failed: true } };
}

/** The nodes of a gang's other members that still hold the attempt. A member that ended well is not among them, and is not missed. */
export type Peers = readonly { readonly rank: number; readonly node: Node }[];

/**
 * Returns the verdict, without counting a failure if it was caused by the loss of another member. A gang's program fails on the other
 * nodes as soon as one member is gone, often before the reason is known. So while a member's node is being taken back, ending or
 * silent, a failure of another member counts as that loss and not as the program's own.
 */
export function excused(verdict: ReportVerdict, peers: Peers, nowMs: number): ReportVerdict {
  if (verdict.kind !== "change" || !verdict.job || !isItsOwn(verdict.job) || verdict.job.from === "sealing") return verdict;
  const missed = peers.find(({ node }) => node.notice?.kind === "interruption" || !isAtWork(node, nowMs));
  if (!missed) return verdict;
  const reason = `${verdict.job.reason ?? "a member failed"}, while member ${missed.rank} was being lost with its node`;
  const { unstarted: _one, troubles: _other, pauseMs: _none, ...change } = verdict.job;
  return { ...verdict, job: { ...change, to: "queued", failure: undefined, failed: false, reason } };
}

/** A node that only drains has not lost what it runs. */
const isAtWork = (node: Node, nowMs: number): boolean =>
  isResponsive(node.state === "draining" ? { ...node, state: "ready" } : node, nowMs);

/**
 * Returns why an attempt must leave its node now; undefined if it may go on. After an interruption notice every run stops, so that it
 * can start elsewhere before the two minutes are over. After a recommendation, or if the node is drained, only an attempt that has not
 * started stops; on a drained node the rest stop when its time is up. An upload goes on: it may end in time, and if it does not,
 * the end of the instance returns the job to the queue. An attempt that is evicted leaves at once.
 */
export function whyLeave(
  { notice, drain }: Pick<Node, "notice" | "drain">,
  { phase, evict }: Pick<Assignment, "phase" | "evict">,
  nowMs: number,
): string | undefined {
  if (phase === "uploading") return undefined;
  if (notice?.kind === "interruption") return "EC2 is taking the instance back (spot interruption)";
  const begun = phase !== "placed";
  if (notice && !begun) return "EC2 may soon take the instance back (rebalance recommendation)";
  if (drain && (!begun || nowMs >= drain.untilMs)) return `its node is being drained: ${drain.because}`;
  return evict?.because;
}
