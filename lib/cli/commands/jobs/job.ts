import { exitCodes } from "../../invocation/exit.ts";
import type { Context } from "../../session/context.ts";
import { findJob } from "../../session/find-job.ts";
import { jobJson, jobLines } from "../../views/job-view.ts";

export type ShowJobOptions = { readonly team?: string | undefined; readonly json?: boolean | undefined };

/** Shows one job. */
export async function job(id: string, options: ShowJobOptions, { connection, console, nowMs }: Context): Promise<number> {
  const found = await findJob(id, options.team, connection);
  if (options.json) console.out(JSON.stringify(jobJson(found)));
  else for (const line of jobLines(found, nowMs, console.paint)) console.out(line);
  return exitCodes.ok;
}
