import { isEnded, type Job, jobName, mayFollow } from "../../model/job.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** 1: no job is lost, none ends twice, and none fails because of faults that are not its own. */
export const jobsEndOnce: Invariant = {
  number: 1,
  name: "jobs end once",
  says: "An accepted job is never lost and ends exactly once. No message is given up. A rejected job has a reason.",
  watch: (seen) => {
    const sent = new Map<string, string>();
    return {
      on: (fact) => {
        if (fact.kind === "sent") sent.set(jobName(fact), fact.team);
        return fact.kind === "job" ? wrongStep(fact.before, fact.after) : undefined;
      },
      atRest: () => {
        const now = seen();
        const wrong = [...sent.keys()].map((name) => wrongAtRest(name, now)).find((each) => each !== undefined);
        if (now.deadLetters > 0) return `${now.deadLetters} messages were given up, and are not redriven`;
        const waiting = [...now.table.queue.keys()];
        return wrong ?? (waiting.length > 0 ? `${waiting.join(", ")} is still queued although every job has ended` : undefined);
      },
    };
  },
};

function wrongAtRest(name: string, { table, workload }: WorldView): InvariantBreach {
  const job = table.jobs.get(name);
  if (!job) return `${name} was accepted by SQS, but has no record`;
  if (!isEnded(job.state)) return `${name} never ended: it is ${job.state}${job.reason ? ` (${job.reason})` : ""}`;
  const mayBeCancelled = workload.purged === job.team || workload.cancels.some((each) => jobName(each) === name);
  return wrongEnd(job, workload.programs.has(name), mayBeCancelled);
}

function wrongStep(before: Job | undefined, after: Job): InvariantBreach {
  const name = jobName(after);
  if (!before) return after.state === "queued" || after.state === "rejected" ? undefined : `${name} began as ${after.state}`;
  if (after.attempt < before.attempt) return `${name} went back from attempt ${before.attempt} to ${after.attempt}`;
  if (before.state === after.state) return undefined;
  if (isEnded(before.state)) return `${name} had ended as ${before.state}, but became ${after.state}`;
  if (!mayFollow(before.state, after.state)) return `${name} went from ${before.state} to ${after.state}`;
  return after.state === "queued" && after.attempt === before.attempt ? `${name} is queued again as the same attempt` : undefined;
}

function wrongEnd(job: Job, isReadable: boolean, mayBeCancelled: boolean): InvariantBreach {
  const { state, reason, endCode, failures, spec } = job;
  const name = jobName(job);
  if ((state === "rejected" || state === "failed") && !reason) return `${name} was ${state} without a reason`;
  if (endCode === undefined || (state !== "failed" && endCode !== state)) return `${name} was ${state}, and its code is ${endCode}`;
  if (state === "cancelled" && !mayBeCancelled) return `${name} was cancelled although no one asked for it`;
  if (state === "succeeded" && !isReadable) return `${name} succeeded although its message is invalid`;
  // A job's runs may fail because of its own exits, but not because of interruptions or lost nodes.
  if (endCode !== "runs-failed" || failures > (spec?.retries ?? 0)) return undefined;
  return `${name} failed after ${failures} failures of its own although it has ${spec?.retries} retries: ${reason}`;
}
