import { type AttemptRef, attemptName, isEnded, jobName } from "../../model/job.ts";
import type { Fact, ProgramRun } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** 2: one attempt of a job runs at a time, each member of it on one machine. A worker that has lost its attempt changes nothing. */
export const oneAttempt: Invariant = {
  number: 2,
  name: "one attempt at a time",
  says: "No two attempts of a job run at the same time. A stale worker changes nothing. An instance that was stopped and started again resumes nothing.",
  watch: (seen) => {
    const running = new Map<string, ProgramRun>();
    const uploaded = new Set<string>();
    const past: Past = { begun: new Map(), cut: new Set() };
    return {
      on: (fact) => {
        if (fact.kind === "over") running.delete(keyOf(fact));
        if (fact.kind === "uploaded") uploaded.add(attemptName(fact.attempt));
        if (fact.kind === "stopped") cutShort(fact.id, past);
        if (fact.kind === "job") return staleChange(fact, uploaded) ?? givenAway(fact, [...running.values()]);
        if (fact.kind !== "began") return undefined;
        const other = [...running.values()].find((each) => jobName(each) === jobName(fact) && isRival(each, fact));
        running.set(keyOf(fact), fact);
        if (other) return `${inWords(fact)} began while ${inWords(other)} still ran`;
        return overBefore(fact, seen()) ?? resumed(fact, past);
      },
    };
  },
};

/** What has begun on each machine, and what of it had begun before somebody stopped the machine. */
type Past = { readonly begun: Map<string, Set<string>>; readonly cut: Set<string> };

function cutShort(instance: string, { begun, cut }: Past): void {
  for (const key of begun.get(instance) ?? []) cut.add(key);
}

function resumed(run: ProgramRun, { begun, cut }: Past): InvariantBreach {
  if (cut.has(keyOf(run))) return `${inWords(run)} began again after somebody had stopped the instance`;
  begun.set(run.instance, (begun.get(run.instance) ?? new Set()).add(keyOf(run)));
  return undefined;
}

const keyOf = (run: ProgramRun): string => `${attemptName(run)} ${run.instance}`;
const inWords = (run: ProgramRun): string => `${attemptName(run)} (member ${run.rank}) on ${run.instance}`;
/** Reports whether two runs are of different attempts, or of the same member of a gang on different machines. */
const isRival = (a: ProgramRun, b: ProgramRun): boolean => a.attempt !== b.attempt || (a.rank === b.rank && a.instance !== b.instance);

/** The attempt of a run must have been handed out. It may have been taken back since, because its worker may not know yet. */
function overBefore(run: ProgramRun, { table }: WorldView): InvariantBreach {
  const job = table.jobs.get(jobName(run));
  return job && job.attempt >= run.attempt ? undefined : `${inWords(run)} began, but the ledger has no such attempt`;
}

/** A job gets its next attempt only when nothing of the last one runs. Gangs are exempt, because their other members are stopped later. */
function givenAway({ before, after }: Extract<Fact, { kind: "job" }>, running: readonly ProgramRun[]): InvariantBreach {
  if (!before || after.attempt === before.attempt || after.spec?.nodes !== 1) return undefined;
  const still = running.find((run) => attemptName(run) === attemptName(before));
  return still && `${inWords(still)} still runs, but the job got its next attempt: ${after.reason}`;
}

/** A job succeeds only with its current attempt, and only if the attempt's worker has uploaded it. */
function staleChange({ before, after }: Extract<Fact, { kind: "job" }>, uploaded: ReadonlySet<string>): InvariantBreach {
  if (after.state !== "succeeded" || (before && isEnded(before.state))) return undefined;
  const attempt: AttemptRef = after;
  return uploaded.has(attemptName(attempt)) ? undefined : `${attemptName(attempt)} succeeded although its worker never uploaded it`;
}
