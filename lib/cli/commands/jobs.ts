import { type JobState, jobStates } from "../../model/job.ts";
import { type Connection, teamOf } from "../connection.ts";
import type { Console } from "../console.ts";
import { exitCodes, UsageError } from "../exit.ts";
import { jobColumns, jobJson } from "../job-view.ts";
import { tableLines } from "../table.ts";

export type JobsOptions = {
  readonly team?: string | undefined;
  readonly state?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly json?: boolean | undefined;
};

/** Lists a team's jobs, newest first, a page at a time. */
export async function jobs(options: JobsOptions, on: { connection: Connection; console: Console; nowMs: number }): Promise<number> {
  const { connection, console } = on;
  const team = teamOf(options.team, connection.deployment);
  const page = await connection.jobs.list({ team, state: stateOf(options.state), limit: options.limit, cursor: options.cursor });
  if (options.json) {
    console.out(JSON.stringify({ jobs: page.jobs.map(jobJson), cursor: page.cursor ?? null }));
    return exitCodes.ok;
  }
  const none = `team ${team} has no ${options.state ?? ""}${options.state ? " " : ""}jobs; submit one with: fleet submit FILE --team ${team}`;
  for (const line of tableLines(page.jobs, jobColumns(on.nowMs), none)) console.out(line);
  if (page.cursor !== undefined) console.note(`there are more: --cursor ${page.cursor}`);
  return exitCodes.ok;
}

function stateOf(name: string | undefined): JobState | undefined {
  const state = jobStates.find((each) => each === name);
  if (name !== undefined && state === undefined) throw new UsageError(`there is no state ${name}; there are: ${jobStates.join(", ")}`);
  return state;
}
