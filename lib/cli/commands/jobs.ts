import { type JobState, jobStates } from "../../model/job.ts";
import { exitCodes, UsageError } from "../exit.ts";
import { commandLine } from "../invocation.ts";
import { jobColumns, jobFacts } from "../job-view.ts";
import { tableLines } from "../table.ts";
import { teamOf } from "../team.ts";
import type { Context, JobOptions } from "./job.ts";

export type JobsOptions = JobOptions & {
  readonly state?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

/** Lists a team's jobs, newest first, a page at a time. */
export async function jobs(options: JobsOptions, on: Context): Promise<number> {
  const { connection, console } = on;
  const state = stateOf(options.state);
  const team = await teamOf(options.team, connection);
  const page = await connection.jobs.list({ team, state, limit: options.limit, cursor: options.cursor });
  if (options.json) {
    console.out(JSON.stringify({ jobs: page.jobs.map(jobFacts), cursor: page.cursor ?? null }));
    return exitCodes.ok;
  }
  const empty = `team ${team} has no ${state ?? ""}${state ? " " : ""}jobs; submit one with: ${commandLine("submit", "FILE", "--team", team)}`;
  for (const line of tableLines(page.jobs, jobColumns(on.nowMs, console.paint), { empty, width: console.width })) console.out(line);
  if (page.cursor !== undefined) console.note(`there are more: --cursor ${page.cursor}`);
  return exitCodes.ok;
}

function stateOf(name: string | undefined): JobState | undefined {
  const state = jobStates.find((each) => each === name);
  if (name !== undefined && state === undefined) throw new UsageError(`there is no state ${name}; there are: ${jobStates.join(", ")}`);
  return state;
}
