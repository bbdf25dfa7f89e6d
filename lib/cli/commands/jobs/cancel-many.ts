import pMap from "p-map";
import type { CancelledJobs } from "../../../api/views/jobs.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import { isEnded, type Job, type JobState, jobStates } from "../../../model/job.ts";
import { own } from "../../../model/values/own.ts";
import { exitCodes, UsageError } from "../../invocation/exit.ts";
import { type FilterOptions, filterOf } from "../../jobs/job-filter.ts";
import { jobPages } from "../../jobs/job-pages.ts";
import type { Context } from "../../session/context.ts";
import { teamOf } from "../../session/team.ts";
import { count } from "../../terminal/amount.ts";
import { withProgress } from "../../terminal/progress.ts";
import { tableLines } from "../../terminal/table.ts";
import { jobColumns } from "../../views/job-view.ts";
import type { ShowJobOptions } from "./job.ts";

export type CancelManyOptions = ShowJobOptions &
  FilterOptions & {
    readonly state: string;
    readonly reason?: string | undefined;
    readonly dryRun?: boolean | undefined;
    readonly yes?: boolean | undefined;
    /** Asks even if all the jobs only wait. */
    readonly asksAlways?: boolean | undefined;
  };

/** Asks the user. Undefined if there is no terminal to ask on. */
export type Confirm = (question: string) => Promise<boolean>;

/** The most jobs that one call cancels. */
const atOnce = 100;
const concurrency = 4;
/** How often jobs that failed are tried, including the first time. */
const maxRounds = 3;
const maxNamed = 10;

const onNodes: readonly JobState[] = ["placed", "running", "sealing"];
const meanings: Readonly<Record<string, readonly JobState[]>> = { queued: ["queued"], running: onNodes, all: ["queued", ...onNodes] };

/**
 * Cancels all jobs of a team that the options select. A job that meanwhile changes to a state that was not selected is not cancelled.
 * A repeated run continues with the jobs that are left.
 */
export async function cancelMany(options: CancelManyOptions, on: Context & { readonly confirm?: Confirm | undefined }): Promise<number> {
  const { connection, console, nowMs } = on;
  const { states = [], ...filter } = filterOf(options, nowMs, statesMeant);
  const team = await teamOf(options.team, connection);
  const found = await findAll(on, { team, states, ...filter });
  if (options.dryRun && !options.json) {
    for (const line of tableLines(found, jobColumns(nowMs, console.paint), { empty: nothing(team), width: console.width }))
      console.out(line);
    console.note(`${count(found.length, "job")} would be cancelled; nothing was changed`);
  }
  if (options.dryRun && options.json) console.out(JSON.stringify({ team, wouldCancel: found.map(({ job }) => job) }));
  if (options.dryRun) return exitCodes.ok;
  if (!(await isConfirmed(found, options, on.confirm))) {
    console.note("nothing was cancelled");
    return exitCodes.failed;
  }
  const outcomes = await withProgress(console, `cancelling ${count(found.length, "job")}`, (onProgress) =>
    cancelAll(found, { team, states, reason: options.reason, onProgress, on }),
  );
  return report(team, outcomes, { options, console });
}

const nothing = (team: string): string => `team ${team} has no such jobs; there is nothing to cancel`;

export function statesMeant(text: string): readonly JobState[] {
  return text.split(",").flatMap((name) => {
    const meant = own(meanings, name.trim()) ?? jobStates.filter((state) => state === name.trim() && !isEnded(state));
    if (meant.length === 0) throw new UsageError(`--state ${text}: expected queued, running (all jobs on a node) or all`);
    return meant;
  });
}

const findAll = ({ connection, console }: Context, of: { readonly team: string } & ReturnType<typeof filterOf>): Promise<readonly Job[]> =>
  withProgress(console, "looking for the jobs", async (onProgress) => {
    const found: Job[] = [];
    for await (const page of jobPages(connection.jobs, { ...of, limit: Number.POSITIVE_INFINITY })) {
      // Listed jobs have no spec, so that a hundred thousand fit into memory.
      found.push(...page.jobs);
      onProgress(`${found.length} found`);
    }
    return found;
  });

/** Asks before running jobs are cancelled, because their work would be lost. Jobs that only wait can be sent again. */
async function isConfirmed(
  found: readonly Job[],
  { yes, asksAlways = false }: CancelManyOptions,
  confirm: Confirm | undefined,
): Promise<boolean> {
  const running = found.filter(({ state }) => state !== "queued").length;
  if (yes || found.length === 0 || (running === 0 && !asksAlways)) return true;
  const [what, lost] =
    running > 0
      ? [`${count(found.length, "job")}, ${running} of them on nodes`, ", and running work would be lost"]
      : [`${count(found.length, "waiting job")}`, ""];
  if (confirm === undefined) throw new UsageError(`${what}${running > 0 ? "," : ""} would be cancelled${lost}; add --yes to cancel them`);
  return confirm(`cancel ${what}?${running > 0 ? " Running work will be lost." : ""}`);
}

type Outcome = CancelledJobs["items"][number];
type Task = {
  readonly team: string;
  readonly states: readonly JobState[];
  readonly reason: string | undefined;
  readonly onProgress: (detail: string) => void;
  readonly on: Context;
};

/** Cancels the jobs, retries those that failed, and returns each outcome. The first call goes alone, so that a denial is shown once. */
async function cancelAll(found: readonly Job[], task: Task): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const note = (those: readonly Outcome[]): void => {
    for (const each of those) outcomes.set(each.job, each);
    task.onProgress(`${[...outcomes.values()].filter(({ outcome }) => outcome !== "failed").length} done`);
  };
  let left = found.map(({ job }) => job);
  for (let round = 1; round <= maxRounds && left.length > 0; round += 1) {
    const [first = [], ...rest] = Array.from({ length: Math.ceil(left.length / atOnce) }, (_, n) =>
      left.slice(n * atOnce, (n + 1) * atOnce),
    );
    if (round === 1) note(await cancelSome(first, task));
    else rest.unshift(first);
    await pMap(rest, async (jobs) => note(await cancelSome(jobs, task).catch(asFailed(jobs))), { concurrency });
    left = left.filter((job) => outcomes.get(job)?.outcome === "failed");
  }
  return outcomes;
}

const cancelSome = async (jobs: readonly string[], { team, states, reason, on }: Task): Promise<readonly Outcome[]> =>
  (await on.connection.api.cancelJobs(team, { jobs, reason, states })).items;

const asFailed =
  (jobs: readonly string[]) =>
  (error: unknown): readonly Outcome[] => {
    if (!(error instanceof FleetError)) throw error;
    return jobs.map((job) => ({ job, outcome: "failed", because: error.message }));
  };

function report(
  team: string,
  outcomes: ReadonlyMap<string, Outcome>,
  { options, console }: { readonly options: CancelManyOptions; readonly console: Context["console"] },
): number {
  const all = [...outcomes.values()];
  const of = (...kinds: Outcome["outcome"][]): readonly Outcome[] => all.filter(({ outcome }) => kinds.includes(outcome));
  const [cancelled, ended, spared, failed] = [of("cancelled", "same"), of("ended", "unknown"), of("spared"), of("failed")];
  const code = failed.length > 0 ? exitCodes.failed : exitCodes.ok;
  if (options.json) {
    const names = (those: readonly Outcome[]): string[] => those.map(({ job }) => job);
    const lists = { cancelled: names(cancelled), ended: names(ended), spared: names(spared) };
    console.out(JSON.stringify({ team, ...lists, failed: failed.map(({ job, because = "" }) => ({ job, because })) }));
    return code;
  }
  const parts = [
    `${count(cancelled.length, "job")} of team ${team} cancelled`,
    ...(ended.length > 0 ? [`${ended.length} ended meanwhile`] : []),
    ...(spared.length > 0 ? [`${spared.length} changed state meanwhile and were not cancelled`] : []),
    ...(failed.length > 0 ? [`${failed.length} could not be cancelled`] : []),
  ];
  console.out(parts.join(", "));
  for (const { job, because } of failed.slice(0, maxNamed)) console.note(`fleet: ${job}: ${because}`);
  if (failed.length > 0) console.note("run the same command again to continue with the jobs that are left");
  return code;
}
