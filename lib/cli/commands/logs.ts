import { setTimeout as pause } from "node:timers/promises";
import type { LogPage } from "../../api/views.ts";
import { Fault } from "../../model/fault.ts";
import { isEnded, type Job } from "../../model/job.ts";
import { exitCodes, UsageError } from "../exit.ts";
import { teamOf } from "../team.ts";
import { type Context, findJob, type JobOptions, noJob } from "./job.ts";

export type LogOptions = JobOptions & {
  readonly attempt?: number | undefined;
  /** Lines older than so many seconds are left out. */
  readonly since?: number | undefined;
  readonly follow?: boolean | undefined;
};

type At = { readonly team: string; readonly job: string; readonly attempt?: number | undefined; readonly cursor?: string | undefined };

const pageLines = 1_000;

/** Prints what an attempt has written so far. */
export async function logs(id: string, options: LogOptions, on: Context): Promise<number> {
  const team = await teamOf(options.team, on.connection);
  const lines: LogPage["lines"] = [];
  let page: LogPage;
  let cursor: string | undefined;
  do {
    page = await pageOf({ team, job: id, attempt: options.attempt, cursor }, on);
    lines.push(...page.lines.filter(newerThan(options, on.nowMs)));
    cursor = page.cursor;
  } while (page.more && cursor !== undefined);
  if (options.json) on.console.out(JSON.stringify(lines));
  else for (const line of lines) on.console.jobLog(line.text);
  if (lines.length === 0) on.console.note(nothing(await findJob(id, team, on.connection), page.attempt, options.since !== undefined));
  return exitCodes.ok;
}

/** What comes after an attempt has ended, or the job has, may still be on its way: so many empty answers mean that nothing is. */
const silences = 3;

/**
 * Prints what a job writes while it writes it, of this attempt and those after it, until the job has ended: the exit code
 * says whether it succeeded. As JSON: one object a line.
 */
export async function follow(id: string, options: LogOptions, on: Context & { readonly pollMs?: number }): Promise<number> {
  const { console, pollMs = 1_000 } = on;
  const team = await teamOf(options.team, on.connection);
  const tell = teller(options, on);
  let at: At = { team, job: id, attempt: options.attempt };
  let silent = 0;
  for (;;) {
    const page = await pageOf(at, on);
    tell(id, page);
    at = { ...at, attempt: page.attempt, cursor: page.cursor ?? at.cursor };
    silent = page.lines.length > 0 ? 0 : silent + 1;
    const next = whatNext(page, silent);
    if (next === "ended") return end(await findJob(id, team, on.connection), on);
    if (next === "wait") await pause(pollMs);
    if (next === "next attempt") {
      at = { team, job: id, attempt: page.attempt + 1 };
      silent = 0;
      console.note(`--- attempt ${page.attempt + 1} ---`);
    }
  }
}

function whatNext(page: LogPage, silent: number): "more" | "wait" | "next attempt" | "ended" {
  if (page.more) return "more";
  const later = page.latestAttempt > page.attempt;
  if (!(later || isEnded(page.state)) || silent < silences) return "wait";
  return later ? "next attempt" : "ended";
}

/** Prints what is new of a page: its lines, and the job's state when it has changed. */
function teller(options: LogOptions, { console, nowMs }: Context): (id: string, page: LogPage) => void {
  const isNew = newerThan(options, nowMs);
  let state = "";
  return (id, page) => {
    for (const { at, text } of page.lines.filter(isNew)) {
      if (options.json) console.out(JSON.stringify({ attempt: page.attempt, at, text }));
      else console.jobLog(text);
    }
    if (page.state !== state) console.note(`${id} is ${page.state}`);
    state = page.state;
  };
}

function end(job: Job, { console }: Context): number {
  if (job.reason !== undefined) console.note(`${job.job}: ${job.reason}`);
  return job.state === "succeeded" ? exitCodes.ok : exitCodes.failed;
}

/** A page, or an error that says what the job does not have. */
async function pageOf({ team, job, ...of }: At, { connection }: Context): Promise<LogPage> {
  try {
    return await connection.api.logs({ team, job, ...of, limit: pageLines });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "not-found") throw error;
    const found = await connection.jobs.get({ team, job });
    if (!found) throw noJob(job, team);
    if (of.attempt === undefined || of.attempt <= found.attempt) throw error;
    throw new UsageError(`${job} has no attempt ${of.attempt}; its last one is ${found.attempt}`);
  }
}

const newerThan = ({ since }: LogOptions, nowMs: number) => {
  const fromMs = since === undefined ? Number.NEGATIVE_INFINITY : nowMs - since * 1_000;
  return (line: { readonly at: string }): boolean => Date.parse(line.at) >= fromMs;
};

function nothing({ job: id, state, reason, attempt: last }: Job, attempt: number, lately: boolean): string {
  if (state === "rejected") return `${id} was rejected and never ran: ${reason ?? ""}`;
  const yet = attempt === last && !isEnded(state) ? ` yet; it is ${state}` : "";
  return `attempt ${attempt} of ${id} has written nothing${lately ? " lately" : ""}${yet}`;
}
