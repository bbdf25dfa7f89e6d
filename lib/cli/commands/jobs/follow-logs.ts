import pMap from "p-map";
import type { LogPage } from "../../../api/views/logs.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import { attemptsPerRestore, isEnded, type Job } from "../../../model/job.ts";
import { exitCodes } from "../../invocation/exit.ts";
import type { Context } from "../../session/context.ts";
import { findJob } from "../../session/find-job.ts";
import { teamOf } from "../../session/team.ts";
import { CutLogs } from "../../views/cut-logs.ts";
import { type LogAt, pageOf, type RankedLine } from "../../views/log-pages.ts";
import { type LinePrinter, type LogOptions, logAt, plainLines, ranksOf } from "./logs.ts";

/** How long to wait before it asks for new lines. */
const pollMs = 1_000;
/** After an attempt or the job has ended, lines may still arrive. This many empty pages in a row mean that no more will. */
const silences = 3;
const membersAtOnce = 8;
/** How often to look for the job, because a job that was just submitted takes a moment to appear. */
const maxLooks = 15;

type Round = { readonly page: LogPage; readonly lines: readonly RankedLine[] };

/**
 * Prints the output of a job while it runs, from this attempt on, until the job has ended. The exit code says whether it succeeded.
 * As JSON: one object per line.
 */
export async function follow(id: string, options: LogOptions, on: Context): Promise<number> {
  const team = await teamOf(options.team, on.connection);
  const start = logAt({ team, job: id }, options, on.nowMs);
  const ranks = await onceThere(() => ranksOf(start, options, on), on);
  const printer = new FollowPrinter({ id, team }, options, on);
  let at = start;
  let cursors = new Map<number, string | undefined>();
  let silent = 0;
  for (;;) {
    const { page, lines } = await onceThere(() => round(at, { ranks, cursors }, on), on);
    printer.print(page, lines);
    // `tail` applies only to the first page of this attempt. Later attempts are shown from their beginning.
    at = { ...at, attempt: page.attempt, tail: undefined };
    silent = lines.length > 0 ? 0 : silent + 1;
    const next = whatNext(page, silent);
    if (next === "ended") return end(await findJob(id, team, on.connection), printer, on);
    if (next === "wait") await on.pause(pollMs);
    if (next === "next attempt") {
      const attempt = await attemptAfter(page, at, on);
      at = { ...at, attempt };
      cursors = new Map();
      silent = 0;
      printer.begin(attempt);
    }
  }
}

/** Repeats the work while the job does not exist yet. */
async function onceThere<T>(work: () => Promise<T>, { pause }: Pick<Context, "pause">): Promise<T> {
  for (let looks = 1; ; looks++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FleetError && error.code === "no-job") || looks >= maxLooks) throw error;
      await pause(pollMs);
    }
  }
}

/** Returns the new lines of all members in order of time. `page` is the first member's, with `more` if any member has more. */
async function round(
  at: LogAt,
  { ranks, cursors }: { readonly ranks: readonly number[]; readonly cursors: Map<number, string | undefined> },
  on: Context,
): Promise<Round> {
  const read = async (rank: number) => {
    const page = await pageOf({ ...at, rank, cursor: cursors.get(rank), ...(cursors.has(rank) && { tail: undefined }) }, on);
    cursors.set(rank, page.cursor ?? cursors.get(rank));
    return { rank, page };
  };
  const pages = await pMap(ranks, read, { concurrency: membersAtOnce });
  const [first] = pages;
  if (first === undefined) throw new Error("a log without members");
  const lines = pages.flatMap(({ rank, page }) => page.lines.map((line) => ({ line, rank })));
  if (pages.length > 1) lines.sort((a, b) => (a.line.at < b.line.at ? -1 : a.line.at > b.line.at ? 1 : 0));
  return { page: { ...first.page, more: pages.some(({ page }) => page.more) }, lines };
}

/** Returns the next attempt. After the table was restored from a backup, numbers go on far above those from before. */
async function attemptAfter(page: LogPage, { team, job }: LogAt, { connection }: Context): Promise<number> {
  if (page.latestAttempt - page.attempt < attemptsPerRestore) return page.attempt + 1;
  const { attempts } = await connection.jobs.attempts({ team, job, limit: 100 });
  const later = attempts.map(({ attempt }) => attempt).filter((attempt) => attempt > page.attempt);
  return Math.min(page.latestAttempt, ...later);
}

function whatNext(page: LogPage, silent: number): "more" | "wait" | "next attempt" | "ended" {
  if (page.more) return "more";
  const later = page.latestAttempt > page.attempt;
  if (!(later || isEnded(page.state)) || silent < silences) return "wait";
  return later ? "next attempt" : "ended";
}

/** Prints new lines, and the state of the job whenever it has changed. */
class FollowPrinter {
  readonly #id: string;
  readonly #options: LogOptions;
  readonly #on: Context;
  readonly #printer: LinePrinter;
  #state = "";
  readonly cut: CutLogs;

  constructor({ id, team }: { readonly id: string; readonly team: string }, options: LogOptions, on: Context) {
    this.#id = id;
    this.cut = new CutLogs(id, team);
    this.#options = options;
    this.#on = on;
    this.#printer = plainLines(options, on);
  }

  begin(attempt: number): void {
    this.#note(`--- attempt ${attempt} ---`);
    this.#state = "";
  }

  print(page: LogPage, lines: readonly RankedLine[]): void {
    for (const each of lines) {
      this.cut.look(each, page.attempt);
      if (this.#options.json) this.#json(page.attempt, each);
      else this.#printer.line(each);
    }
    // A page's state is that of the latest attempt.
    if (page.attempt === page.latestAttempt) this.#printState(page);
  }

  end(): void {
    this.#printer.end();
  }

  #printState({ state, reason }: LogPage): void {
    const why = state === "queued" && reason !== undefined ? `: ${reason}` : "";
    const now = `${this.#id} is ${state}${why}`;
    if (now !== this.#state) this.#note(now);
    this.#state = now;
  }

  #json(attempt: number, { line, rank }: RankedLine): void {
    this.#on.console.out(JSON.stringify({ attempt, ...(this.#options.rank === "all" && { rank }), ...line }));
  }

  #note(text: string): void {
    this.#printer.end();
    this.#on.console.note(text);
  }
}

function end(job: Job, printer: FollowPrinter, { console }: Context): number {
  printer.end();
  if (job.reason !== undefined) console.note(`${job.job}: ${job.reason}`);
  for (const hint of printer.cut.hints) console.note(hint);
  return job.state === "succeeded" ? exitCodes.ok : exitCodes.failed;
}
