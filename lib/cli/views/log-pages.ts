import type { LogLineView, LogPage } from "../../api/views/logs.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { UsageError } from "../invocation/exit.ts";
import type { Context } from "../session/context.ts";
import { noJob } from "../session/find-job.ts";
import type { LogQuery } from "../session/fleet-api.ts";

export type LogAt = LogQuery & { readonly team: string; readonly job: string; readonly cursor?: string | undefined };
export type RankedLine = { readonly line: LogLineView; readonly rank: number };

const pageLines = 10_000;

/** Returns a page of a log. Throws an error that names what does not exist: the job, the attempt or the rank. */
export async function pageOf(at: LogAt, { connection }: Pick<Context, "connection">, limit = pageLines): Promise<LogPage> {
  try {
    return await connection.api.logs({ ...at, limit });
  } catch (error) {
    if (!(error instanceof FleetError) || error.code !== "not-found") throw error;
    const { team, job, attempt, rank = 0 } = at;
    const found = await connection.jobs.get({ team, job });
    if (!found) throw noJob(job, team, error);
    if (attempt !== undefined && attempt > found.attempt)
      throw new UsageError(`${job} has no attempt ${attempt}; its last one is ${found.attempt}`, { cause: error });
    const members = found.spec?.nodes ?? 1;
    // The job was created between the two calls.
    if (rank < members) return connection.api.logs({ ...at, limit });
    const ranks = members === 1 ? "is not a gang; its only rank is 0" : `has the ranks 0 to ${members - 1}`;
    throw new UsageError(`${job} ${ranks}`, { cause: error });
  }
}

/** Yields all pages from this position on, up to the last line. */
export async function* pagesFrom(at: LogAt, on: Pick<Context, "connection">): AsyncGenerator<LogPage> {
  let page = await pageOf(at, on);
  yield page;
  // A page may have fewer lines than exist. Only an empty page is the end.
  while (at.tail === undefined && page.cursor !== undefined && (page.more || page.lines.length > 0)) {
    page = await pageOf({ ...at, attempt: page.attempt, cursor: page.cursor }, on);
    yield page;
  }
}

/** Merges the lines of several members in order of time. The lines of one member keep their order. */
export async function* merged(logs: ReadonlyMap<number, AsyncIterable<LogPage>>): AsyncGenerator<RankedLine> {
  type Head = { readonly rank: number; readonly rest: AsyncIterator<LogLineView>; line: LogLineView };
  const heads: Head[] = [];
  for (const [rank, pages] of logs) {
    const rest = linesOf(pages);
    const first = await rest.next();
    if (!first.done) heads.push({ rank, rest, line: first.value });
  }
  while (heads.length > 0) {
    const head = heads.reduce((oldest, each) => (each.line.at < oldest.line.at ? each : oldest));
    yield { line: head.line, rank: head.rank };
    const next = await head.rest.next();
    if (next.done) heads.splice(heads.indexOf(head), 1);
    else head.line = next.value;
  }
}

async function* linesOf(pages: AsyncIterable<LogPage>): AsyncGenerator<LogLineView> {
  for await (const page of pages) yield* page.lines;
}
