import { exitCodes } from "../../invocation/exit.ts";
import { commandLine } from "../../invocation/invocation.ts";
import type { Context } from "../../session/context.ts";
import { findJob } from "../../session/find-job.ts";
import { tableLines } from "../../terminal/table.ts";
import { attemptColumns, attemptJson } from "../../views/attempt-view.ts";
import { jobJson, jobLines } from "../../views/job-view.ts";

export type ShowJobOptions = { readonly team?: string | undefined; readonly json?: boolean | undefined };

/** The number of attempts that are shown. The API returns older ones. */
const maxAttempts = 20;

/** Shows one job with its latest attempts. */
export async function job(id: string, options: ShowJobOptions, { connection, console, nowMs }: Context): Promise<number> {
  const found = await findJob(id, options.team, connection);
  const { attempts, before } = await connection.jobs.attempts({ team: found.team, job: id, limit: maxAttempts });
  if (options.json) {
    console.out(JSON.stringify({ ...jobJson(found), history: attempts.map((attempt) => attemptJson(attempt, nowMs)) }));
    return exitCodes.ok;
  }
  for (const line of jobLines(found, nowMs, console.paint)) console.out(line);
  if (attempts.length === 0) return exitCodes.ok;
  console.out("");
  for (const line of tableLines(attempts, attemptColumns(nowMs, console.paint), { empty: "", width: console.width })) console.out(line);
  if (before !== undefined) {
    const path = `/v1/teams/${found.team}/jobs/${id}/attempts?cursor=${before}`;
    console.note(`there are older attempts: ${commandLine("api", path)}`);
  }
  return exitCodes.ok;
}
