import type { LogPage } from "../../../api/views/logs.ts";
import { isEnded, type Job } from "../../../model/job.ts";
import { exitCodes } from "../../invocation/exit.ts";
import type { Context } from "../../session/context.ts";
import { findJob } from "../../session/find-job.ts";
import { teamOf } from "../../session/team.ts";
import { CutLogs } from "../../views/cut-logs.ts";
import { type LogAt, merged, pageOf, pagesFrom, type RankedLine } from "../../views/log-pages.ts";
import { logPrinter } from "../../views/log-printer.ts";
import type { ShowJobOptions } from "./job.ts";

export type LogOptions = ShowJobOptions & {
  readonly attempt?: number | undefined;
  /** The rank of a gang's member, or `all`. */
  readonly rank?: number | "all" | undefined;
  /** Lines older than this many seconds are left out. */
  readonly since?: number | undefined;
  /** Only this many of the newest lines. */
  readonly tail?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly whole?: boolean | undefined;
  /** Prints the output without a filter. */
  readonly raw?: boolean | undefined;
};

/** Prints what an attempt has written so far. */
export async function logs(id: string, options: LogOptions, on: Context): Promise<number> {
  const { console } = on;
  const team = await teamOf(options.team, on.connection);
  const at = logAt({ team, job: id }, options, on.nowMs);
  const say = options.json ? jsonList(options, on) : plainLines(options, on);
  let attempt = 0;
  const noting = async function* (pages: AsyncIterable<LogPage>): AsyncGenerator<LogPage> {
    for await (const page of pages) {
      attempt = page.attempt;
      yield page;
    }
  };
  const ranks = await ranksOf(at, options, on);
  const lines = merged(new Map(ranks.map((rank) => [rank, noting(pagesFrom({ ...at, rank }, on))])));
  let some = false;
  const cut = new CutLogs(id, team);
  for await (const line of newestOf(lines, ranks.length > 1 ? options.tail : undefined)) {
    some = true;
    cut.look(line, attempt);
    say.line(line);
  }
  say.end();
  if (!some) console.note(nothing(await findJob(id, team, on.connection), attempt, options.since !== undefined));
  for (const hint of cut.hints) console.note(hint);
  return exitCodes.ok;
}

export const logAt = (of: Pick<LogAt, "team" | "job">, { attempt, since, tail }: LogOptions, nowMs: number): LogAt => ({
  ...of,
  attempt,
  since: since === undefined ? undefined : new Date(nowMs - since * 1_000).toISOString(),
  tail,
});

/** Returns the ranks whose logs to print. */
export async function ranksOf(at: LogAt, { rank = 0 }: LogOptions, on: Context): Promise<readonly number[]> {
  if (rank !== "all") return [rank];
  const { members } = await pageOf({ ...at, rank: 0 }, on, 1);
  return Array.from({ length: members }, (_, index) => index);
}

/** Yields only the newest `most` lines of all members together, because each member's log was fetched with that limit of its own. */
async function* newestOf(lines: AsyncIterable<RankedLine>, most: number | undefined): AsyncGenerator<RankedLine> {
  if (most === undefined) {
    yield* lines;
    return;
  }
  const all: RankedLine[] = [];
  for await (const line of lines) all.push(line);
  yield* all.slice(-most);
}

export type LinePrinter = { line(of: RankedLine): void; end(): void };

export function plainLines({ rank, raw = false }: LogOptions, { console }: Context): LinePrinter {
  const printer = logPrinter(console, { names: rank === "all", raw });
  return { line: ({ line, rank: of }) => printer.print(line, of), end: printer.end };
}

/** Prints a JSON list, one element per line, so that a long list need not fit into memory. */
function jsonList({ rank }: LogOptions, { console }: Context): LinePrinter {
  let before: string | undefined;
  return {
    line(of) {
      console.out(before === undefined ? "[" : `${before},`);
      before = JSON.stringify(rank === "all" ? { rank: of.rank, ...of.line } : of.line);
    },
    end() {
      if (before === undefined) console.out("[]");
      else for (const line of [before, "]"]) console.out(line);
    },
  };
}

export function nothing({ job: id, state, reason, attempt: last }: Job, attempt: number, lately: boolean): string {
  if (state === "rejected") return `${id} was rejected and never ran: ${reason ?? ""}`;
  const why = state === "queued" && reason !== undefined ? `: ${reason}` : "";
  const yet = attempt === last && !isEnded(state) ? ` yet; it is ${state}${why}` : "";
  return `attempt ${attempt} of ${id} has written nothing${lately ? " in that time" : ""}${yet}`;
}
