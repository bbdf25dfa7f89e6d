import pMap from "p-map";
import { FleetError } from "../../../model/fleet-error.ts";
import type { Job, JobRef } from "../../../model/job.ts";
import { exitCodes } from "../../invocation/exit.ts";
import { jobOf } from "../../session/api-jobs.ts";
import type { Context } from "../../session/context.ts";
import { noJob } from "../../session/find-job.ts";
import { teamOf } from "../../session/team.ts";
import { withProgress } from "../../terminal/progress.ts";
import { jobJson } from "../../views/job-view.ts";
import type { ShowJobOptions } from "./job.ts";

/** The most cancel calls at a time. */
const concurrency = 8;

export type CancelOptions = ShowJobOptions & { readonly reason?: string | undefined; readonly wait?: boolean | undefined };

/**
 * Cancels jobs. If one cannot be cancelled, the others still are, and the exit code is 1. With `wait`, waits until no node holds any of
 * them.
 */
export async function cancel(ids: readonly string[], options: CancelOptions, on: Context): Promise<number> {
  const { connection, console } = on;
  const team = await teamOf(options.team, connection);
  const cancelled: Job[] = [];
  const attempt = async (id: string): Promise<void> => {
    const job = await cancelOne({ team, job: id }, options, on).catch(sayWhy(console));
    if (job === undefined) return;
    cancelled.push(job);
    if (!options.json) console.out(`${id} is ${job.state}`);
  };
  const [first, ...rest] = ids;
  // The first call goes alone, so that a denial is shown once.
  if (first !== undefined) await attempt(first);
  await pMap(rest, attempt, { concurrency });
  if (options.json) console.out(JSON.stringify(cancelled.map(jobJson)));
  return cancelled.length === ids.length ? exitCodes.ok : exitCodes.failed;
}

async function cancelOne(ref: JobRef, { reason, wait }: CancelOptions, on: Context): Promise<Job> {
  const { api, jobs } = on.connection;
  const before = wait ? await jobs.get(ref) : undefined;
  const job = jobOf(await cancellation(api.cancel(ref, reason), ref));
  if (wait) await untilReleased(before ?? job, on);
  return job;
}

/** Adds the name of the job to an error that does not have it. */
async function cancellation<T>(result: Promise<T>, { team, job }: JobRef): Promise<T> {
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

/** Waits until the node's worker has stopped the program of a cancelled job, which has a grace period. The upload happens after that. */
async function untilReleased(job: Job, { connection, console, pause }: Context): Promise<void> {
  await withProgress(console, `waiting until ${job.job} has stopped`, async () => {
    for (const node of job.gang ?? (job.node === undefined ? [] : [job.node])) while (await holds(node)) await pause(500);
  });
  async function holds(node: string): Promise<boolean> {
    try {
      const { state, assignments } = await connection.api.node(node);
      return state !== "gone" && assignments.some((held) => held.team === job.team && held.job === job.job && held.phase !== "uploading");
    } catch (error) {
      if (error instanceof FleetError && error.code === "not-found") return false;
      throw error;
    }
  }
}
