import { Fault } from "../../model/fault.ts";
import type { Job } from "../../model/job.ts";
import type { Connection } from "../connection.ts";
import type { Console } from "../console.ts";
import { exitCodes } from "../exit.ts";
import { commandLine } from "../invocation.ts";
import { jobJson, jobLines } from "../job-view.ts";
import { teamOf } from "../team.ts";

export type JobOptions = { readonly team?: string | undefined; readonly json?: boolean | undefined };
export type Context = { readonly connection: Connection; readonly console: Console; readonly nowMs: number };

/** Shows one job. */
export async function job(id: string, options: JobOptions, { connection, console, nowMs }: Context): Promise<number> {
  const found = await findJob(id, options.team, connection);
  if (options.json) console.out(JSON.stringify(jobJson(found)));
  else for (const line of jobLines(found, nowMs, console.paint)) console.out(line);
  return exitCodes.ok;
}

/** The job, or a Fault that says where to look. */
export async function findJob(id: string, team: string | undefined, connection: Connection): Promise<Job> {
  const of = await teamOf(team, connection);
  const found = await connection.jobs.get({ team: of, job: id });
  if (!found) throw noJob(id, of);
  return found;
}

export const noJob = (id: string, team: string): Fault =>
  new Fault(
    "no-job",
    `team ${team} has no job ${id} (a new one can take a second to appear); list them with: ${commandLine("jobs", "--team", team)}`,
  );
