import pMap from "p-map";
import type { JobView } from "../../../api/views/jobs.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import { type Job, type JobRef, nodesOf } from "../../../model/job.ts";
import { exitCodes } from "../../invocation/exit.ts";
import { jobOf } from "../../session/api-jobs.ts";
import type { Context } from "../../session/context.ts";
import { findJob, noJob } from "../../session/find-job.ts";
import { teamOf } from "../../session/team.ts";
import { withProgress } from "../../terminal/progress.ts";
import { jobJson } from "../../views/job-view.ts";
import type { ShowJobOptions } from "./job.ts";

/** The most calls at a time. */
const concurrency = 8;

export type StopOptions = ShowJobOptions & { readonly reason?: string | undefined; readonly wait?: boolean | undefined };

/** Asks the API to stop a job or its run. Returns the job as it is then and, if it was read, as it was before. */
type Stop = (ref: JobRef) => Promise<{ readonly before: Job | undefined; readonly after: JobView }>;

/** Cancels jobs. */
export const cancel = (ids: readonly string[], options: StopOptions, on: Context): Promise<number> =>
  stopEach(ids, options, on, {
    stop: async (ref) => ({
      before: options.wait ? await on.connection.jobs.get(ref) : undefined,
      after: await on.connection.api.cancel(ref, options.reason),
    }),
    outcome: ({ state }) => ` is ${state}`,
  });

/** Stops the runs of jobs, which are queued again. */
export const requeue = (ids: readonly string[], options: StopOptions, on: Context): Promise<number> =>
  stopEach(ids, options, on, {
    // Only the attempt that runs now, so that a repeated call cannot stop the next one.
    stop: async (ref) => {
      const before = await findJob(ref.job, ref.team, on.connection);
      return { before, after: await on.connection.api.requeue({ ...ref, attempt: before.attempt }, options.reason) };
    },
    outcome: ({ attempt }) => `: attempt ${attempt} ${options.wait ? "has stopped" : "is being stopped"}`,
  });

/** If one job cannot be stopped, the others still are, and the exit code is 1. With `wait`, waits until no node holds any of the runs. */
async function stopEach(
  ids: readonly string[],
  options: StopOptions,
  on: Context,
  by: { readonly stop: Stop; readonly outcome: (job: Job) => string },
): Promise<number> {
  const { connection, console } = on;
  const team = await teamOf(options.team, connection);
  const stopped: Job[] = [];
  const attempt = async (id: string): Promise<void> => {
    const job = await stopOne({ team, job: id }, options, on, by.stop).catch(sayWhy(console));
    if (job === undefined) return;
    stopped.push(job);
    if (!options.json) console.out(`${id}${by.outcome(job)}`);
  };
  const [first, ...rest] = ids;
  // The first call goes alone, so that a denial is shown once.
  if (first !== undefined) await attempt(first);
  await pMap(rest, attempt, { concurrency });
  if (options.json) console.out(JSON.stringify(stopped.map(jobJson)));
  return stopped.length === ids.length ? exitCodes.ok : exitCodes.failed;
}

async function stopOne(ref: JobRef, { wait }: StopOptions, on: Context, stop: Stop): Promise<Job> {
  const { before, after } = await named(stop(ref), ref);
  const job = jobOf(after);
  if (wait) await untilReleased(before ?? job, on);
  return job;
}

/** Adds the name of the job to an error that does not have it. */
async function named<T>(result: Promise<T>, { team, job }: JobRef): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof FleetError && error.code === "not-found") throw noJob(job, team, error);
    if (error instanceof FleetError && error.code === "conflict")
      throw new FleetError(error.code, `${job}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Prints an error that is about one job only, so that the others are tried. Throws any other error. */
const sayWhy =
  (console: Context["console"]) =>
  (error: unknown): undefined => {
    if (!(error instanceof FleetError) || (error.code !== "no-job" && error.code !== "conflict")) throw error;
    console.note(`fleet: ${error.message}`);
  };

/** Waits until the worker of each node has stopped the job's program, which has a grace period. The upload happens after that. */
async function untilReleased(job: Job, { connection, console, pause }: Context): Promise<void> {
  await withProgress(console, `waiting until ${job.job} has stopped`, async () => {
    for (const node of nodesOf(job)) while (await holds(node)) await pause(500);
  });
  async function holds(node: string): Promise<boolean> {
    try {
      const { state, assignments } = await connection.api.node(node);
      const isIt = (held: (typeof assignments)[number]): boolean =>
        held.team === job.team && held.job === job.job && held.attempt === job.attempt && held.phase !== "uploading";
      return state !== "gone" && assignments.some(isIt);
    } catch (error) {
      if (error instanceof FleetError && error.code === "not-found") return false;
      throw error;
    }
  }
}
