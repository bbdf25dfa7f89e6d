import type { Job } from "../../../model/job.ts";
import { exitCodes } from "../../invocation/exit.ts";
import { commandLine } from "../../invocation/invocation.ts";
import { type FilterOptions, filterOf } from "../../jobs/job-filter.ts";
import { type JobsPage, jobPages } from "../../jobs/job-pages.ts";
import type { Context } from "../../session/context.ts";
import { teamOf } from "../../session/team.ts";
import { openTable } from "../../terminal/table.ts";
import { jobColumns, jobFacts } from "../../views/job-view.ts";
import type { ShowJobOptions } from "./job.ts";

export type JobsOptions = ShowJobOptions & FilterOptions & { readonly limit: number; readonly cursor?: string | undefined };

/** Lists a team's jobs, newest first, up to the limit. Each page is shown as soon as it arrives. */
export async function jobs(options: JobsOptions, on: Context): Promise<number> {
  const { connection, console, nowMs } = on;
  const filter = filterOf(options, nowMs);
  const team = await teamOf(options.team, connection);
  const pages = jobPages(connection.jobs, { team, limit: options.limit, cursor: options.cursor, ...filter });
  const cursor = await (options.json ? printJson : printTable)(pages, on);
  if (options.json) return exitCodes.ok;
  if (cursor.shown === 0) {
    const which = filter.states === undefined ? "" : `${filter.states.join(" or ")} `;
    const isNarrowed = [options.name, options.pool, options.since, options.before].some((each) => each !== undefined);
    const how = isNarrowed ? " that match" : `; submit one with: ${commandLine("submit", "FILE", "--team", team)}`;
    console.out(`team ${team} has no ${which}jobs${how}`);
  }
  if (cursor.next !== undefined) console.note(`there are more: raise --limit, or continue with --cursor ${cursor.next}`);
  return exitCodes.ok;
}

type Printed = { readonly shown: number; readonly next: string | undefined };

async function printJson(pages: AsyncIterable<JobsPage>, { console }: Context): Promise<Printed> {
  const all: Job[] = [];
  let next: string | undefined;
  for await (const page of pages) {
    all.push(...page.jobs);
    next = page.cursor;
  }
  console.out(JSON.stringify({ jobs: all.map(jobFacts), cursor: next ?? null }));
  return { shown: all.length, next };
}

async function printTable(pages: AsyncIterable<JobsPage>, { console, nowMs }: Context): Promise<Printed> {
  const table = openTable(jobColumns(nowMs, console.paint), console.width);
  let shown = 0;
  let next: string | undefined;
  for await (const page of pages) {
    for (const line of table(page.jobs)) console.out(line);
    shown += page.jobs.length;
    next = page.cursor;
  }
  return { shown, next };
}
