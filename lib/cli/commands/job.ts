import { Fault } from "../../model/fault.ts";
import { isEnded, type Job } from "../../model/job.ts";
import { type Connection, teamOf } from "../connection.ts";
import type { Console } from "../console.ts";
import { exitCodes, UsageError } from "../exit.ts";
import { jobJson, jobLines } from "../job-view.ts";

export type JobOptions = { readonly team?: string | undefined; readonly json?: boolean | undefined };

/** Shows one job. */
export async function job(id: string, options: JobOptions, on: { connection: Connection; console: Console }): Promise<number> {
  const found = await findJob(id, options.team, on.connection);
  if (options.json) on.console.out(JSON.stringify(jobJson(found)));
  else for (const line of jobLines(found)) on.console.out(line);
  return exitCodes.ok;
}

/** Prints what an attempt has written so far. */
export async function logs(
  id: string,
  options: JobOptions & { attempt?: number | undefined },
  on: { connection: Connection; console: Console },
): Promise<number> {
  const found = await findJob(id, options.team, on.connection);
  const attempt = options.attempt ?? found.attempt;
  if (attempt > found.attempt) throw new UsageError(`${id} has no attempt ${attempt}; its last one is ${found.attempt}`);
  const { lines } = await on.connection.logs.read({ team: found.team, job: found.job, attempt });
  if (options.json) on.console.out(JSON.stringify(lines.map(({ atMs, text }) => ({ at: new Date(atMs).toISOString(), text }))));
  else for (const line of lines) on.console.out(line.text);
  if (lines.length === 0) on.console.note(nothing(found, attempt));
  return exitCodes.ok;
}

function nothing({ job: id, state, reason, attempt: last }: Job, attempt: number): string {
  if (state === "rejected") return `${id} was rejected and never ran: ${reason ?? ""}`;
  return `attempt ${attempt} of ${id} has written nothing${attempt === last && !isEnded(state) ? ` yet; it is ${state}` : ""}`;
}

/** The job, or a Fault that says where to look. */
export async function findJob(id: string, team: string | undefined, connection: Connection): Promise<Job> {
  const of = teamOf(team, connection.deployment);
  const found = await connection.jobs.get({ team: of, job: id });
  if (!found)
    throw new Fault(
      "no-job",
      `team ${of} has no job ${id} (a new one can take a second to appear); list them with: fleet jobs --team ${of}`,
    );
  return found;
}
