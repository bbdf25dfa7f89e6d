import { type AttemptRef, attemptName, byTurn, type JobRef, jobName, type QueueEntry } from "../../model/job.ts";
import type { Step } from "../../model/plan.ts";
import { type BackOff, isResting } from "../../model/values/back-off.ts";

type Known = {
  readonly nowMs: number;
  readonly backOffs?: readonly BackOff[] | undefined;
  readonly queue?: readonly QueueEntry[] | undefined;
};

/**
 * Returns what a step tries, by a name that the same step has in the next plan, too. All steps that would start or end a waiting job have
 * the same one, so that none of them is taken while another rests. A launch goes by what it would buy first, because its jobs vary from plan to plan.
 */
export function subjectOf(step: Step): string {
  switch (step.kind) {
    case "bind":
    case "bind-gang":
    case "move":
      return jobSubject(step.entry);
    case "fail":
      return jobSubject(step.attempt);
    case "hold":
      return `note ${attemptName(step.entry)}`;
    case "rebind":
      return `rebind ${attemptName(step.attempt)}`;
    case "launch":
      return launchSubject(step.launch);
    case "heal":
      return "heal";
    case "retire":
    case "end":
    case "lose":
    case "drain":
    case "undrain":
    case "unbind":
    case "confirm":
      return `${step.kind} ${step.node}`;
  }
}

const launchSubject = ({ market, team, offers: [first] }: Extract<Step, { kind: "launch" }>["launch"]): string =>
  `launch ${market} ${first?.instanceType ?? "nodes"}${team === undefined ? "" : ` for ${team}`}`;

const jobSubject = (attempt: AttemptRef): string => `place ${attemptName(attempt)}`;

/**
 * Returns the steps that do not rest after a failure, and when the first of the others is due. `holds`: steps that record why the jobs of
 * launches that rest wait.
 */
export function withoutResting(
  steps: readonly Step[],
  known: Known,
): { readonly steps: readonly Step[]; readonly holds: readonly Step[]; readonly dueAtMs?: number } {
  const restingOf = restingIn(known);
  const resting = steps.flatMap((step) => {
    const backOff = restingOf.get(subjectOf(step));
    return backOff ? [{ step, backOff }] : [];
  });
  if (resting.length === 0) return { steps, holds: [] };
  return {
    steps: steps.filter((step) => !restingOf.has(subjectOf(step))),
    holds: resting.flatMap(({ step, backOff }) => (step.kind === "launch" ? holdsFor(step.launch.jobs, backOff, known) : [])),
    dueAtMs: firstDue(resting.map(({ backOff }) => backOff)),
  };
}

function holdsFor(jobs: readonly JobRef[], backOff: BackOff, { queue = [] }: Known): readonly Step[] {
  const names = new Set(jobs.map(jobName));
  return queue
    .filter((entry) => names.has(jobName(entry)))
    .toSorted(byTurn)
    .flatMap((entry) => holdFor(entry, backOff));
}

/**
 * Splits a queue into the jobs that can be decided on, and the steps that record why the others wait, and when the first of those is due. A
 * job rests because it could not be placed, or because its last run failed through no fault of its own.
 */
export function withoutRestingJobs(
  queue: readonly QueueEntry[],
  known: Known,
): { readonly queue: readonly QueueEntry[]; readonly holds: readonly Step[]; readonly dueAtMs?: number } {
  const restingOf = restingIn(known);
  const isPausing = ({ notBeforeMs }: QueueEntry): boolean => notBeforeMs !== undefined && notBeforeMs > known.nowMs;
  const isAway = (entry: QueueEntry): boolean => isPausing(entry) || restingOf.has(jobSubject(entry));
  const away = queue.filter(isAway).toSorted(byTurn);
  if (away.length === 0) return { queue, holds: [] };
  const dueMs = away.map((entry) => (isPausing(entry) ? entry.notBeforeMs : restingOf.get(jobSubject(entry))?.retryAtMs) ?? known.nowMs);
  return {
    queue: queue.filter((entry) => !isAway(entry)),
    holds: away.flatMap((entry) => holdFor(entry, restingOf.get(jobSubject(entry)))),
    dueAtMs: Math.min(...dueMs),
  };
}

/** Returns the step that records why a job rests, unless that is on record or it failed only once. */
function holdFor(entry: QueueEntry, backOff: BackOff | undefined): readonly Step[] {
  if (!backOff || backOff.failures < 2) return [];
  const because = `it could not be started: ${backOff.note}; this is tried again and again, with growing pauses`;
  return entry.reason === because ? [] : [{ kind: "hold", entry, because }];
}

const restingIn = ({ nowMs, backOffs = [] }: Known): ReadonlyMap<string, BackOff> =>
  new Map(backOffs.filter((each) => isResting(each, nowMs)).map((each) => [each.subject, each]));

const firstDue = (resting: readonly BackOff[]): number => Math.min(...resting.map(({ retryAtMs }) => retryAtMs));
