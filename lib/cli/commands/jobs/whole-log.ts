import { createGunzip } from "node:zlib";
import { inWords } from "../../../model/errors/in-words.ts";
import type { SegmentRef } from "../../../model/job.ts";
import { type AttemptRef, isEnded } from "../../../model/job.ts";
import type { KeptLogs, OpenedSegment } from "../../../ports/kept-logs.ts";
import { exitCodes, UsageError, whatWentWrong } from "../../invocation/exit.ts";
import type { Context } from "../../session/context.ts";
import { teamOf } from "../../session/team.ts";
import { bytes } from "../../terminal/amount.ts";
import type { Console } from "../../terminal/console.ts";
import { withProgress } from "../../terminal/progress.ts";
import { pageOf } from "../../views/log-pages.ts";
import type { LogOptions } from "./logs.ts";

const pollMs = 500;
/** How long to wait for missing parts: a part is sealed within seconds of its upload. */
const lateMs = 30_000;
/** A part that is not sealed this long after the job's end never will be. */
const oldMs = 120_000;
/** Number of parts to fetch ahead, each of some MiB. */
const ahead = 4;

/**
 * Writes the whole log of one member of an attempt to stdout, byte for byte. If the attempt still runs, writes what has been kept so far.
 * Reports on stderr what is missing, and then returns exit code 1.
 */
export async function wholeLog(id: string, options: LogOptions, on: Context): Promise<number> {
  const { console, connection } = on;
  const rank = rankOf(options);
  const team = await teamOf(options.team, connection);
  const page = await pageOf({ team, job: id, attempt: options.attempt, rank }, on, 1);
  const attempt = { team, job: id, attempt: page.attempt };
  const isOver = page.attempt < page.latestAttempt || isEnded(page.state);
  const patienceMs = isOver && page.lines.length > 0 ? await patience(attempt, page.latestAttempt, on) : 0;
  const { segments, hasEnd } = await withProgress(console, "waiting for the end of the log", () =>
    listed(connection.keptLogs, { attempt, rank, patienceMs, pause: on.pause }),
  );
  if (segments.length === 0 && page.lines.length === 0) {
    console.note(`attempt ${page.attempt} of ${id} has written nothing${isOver ? "" : " yet"}`);
    return exitCodes.ok;
  }
  const missing = await print(segments, connection.keptLogs, { console, raw: options.raw === true || !console.isTerminal });
  if (!isOver) console.note(`attempt ${page.attempt} of ${id} is not over: this is what was kept so far, at most a minute behind`);
  else if (!hasEnd) console.note("the end of this log is missing: it is not sealed yet, or the node was lost before the upload");
  return missing || (isOver && !hasEnd) ? exitCodes.failed : exitCodes.ok;
}

function rankOf({ rank = 0, follow, tail, since, json }: LogOptions): number {
  if (rank === "all") throw new UsageError("--whole prints the log of one member: choose it with --rank N");
  const others = Object.entries({ "--follow": follow, "--tail": tail, "--since": since, "--json": json });
  const other = others.find(([, value]) => value !== undefined);
  if (other) throw new UsageError(`--whole prints a log complete and unchanged; omit ${other[0]}`);
  return rank;
}

/** Returns how long to wait for the end of the log of an attempt that is over. */
async function patience(attempt: AttemptRef, latest: number, { connection, nowMs }: Context): Promise<number> {
  if (attempt.attempt < latest) return 0;
  const job = await connection.jobs.get(attempt);
  return job?.endedAtMs === undefined || nowMs - job.endedAtMs < oldMs ? lateMs : 0;
}

/** Waits until all parts exist or the patience is over, and returns the parts. */
async function listed(
  logs: KeptLogs,
  { attempt, rank, patienceMs, pause }: { attempt: AttemptRef; rank: number; patienceMs: number } & Pick<Context, "pause">,
): Promise<{ readonly segments: readonly SegmentRef[]; readonly hasEnd: boolean }> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const segments = await logs.segments(attempt, rank);
    const newest = segments.at(-1);
    const hasEnd = newest !== undefined && (await isLast(logs, newest));
    const isAll = hasEnd && newest.number === segments.length - 1;
    if (isAll || waitedMs >= patienceMs) return { segments, hasEnd };
    await pause(pollMs);
  }
}

/** Returns whether a part is the last. If it cannot be opened, returns true, because `print` reports that error. */
const isLast = (logs: KeptLogs, segment: SegmentRef): Promise<boolean> =>
  logs.open(segment).then(
    ({ last }) => last,
    () => true,
  );

type To = { readonly console: Pick<Console, "bytes" | "jobLog" | "note">; readonly raw: boolean };

/** Prints the parts in order. Returns whether any is missing. */
async function print(segments: readonly SegmentRef[], logs: KeptLogs, { console, raw }: To): Promise<boolean> {
  const output = raw ? { write: console.bytes, end: () => undefined } : linesOn(console);
  let [number, endsAt, missing] = [0, 0, false];
  for await (const [segment, opened] of inOrder(segments, (each) => logs.open(each))) {
    const isGap = segment.number > number;
    number = segment.number + 1;
    if (opened instanceof Error) {
      missing = true;
      console.note(`a part of this log cannot be read: ${whatWentWrong(opened)}`);
      continue;
    }
    if (isGap) {
      missing = true;
      console.note(`${bytes(opened.offset - endsAt)} of this log are missing here: they are not sealed yet, or were lost with the node`);
    }
    endsAt = opened.offset + opened.bytes;
    for await (const chunk of unpacked(opened)) await output.write(chunk);
  }
  output.end();
  return missing;
}

function unpacked({ gzip }: OpenedSegment): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip();
  gunzip.end(gzip);
  return gunzip;
}

/** Yields the results in the order of the items, and works on some items ahead. Yields an error as a result. */
async function* inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncGenerator<[T, R | Error]> {
  const begin = async (item: T): Promise<[T, R | Error]> => {
    try {
      return [item, await work(item)];
    } catch (error) {
      return [item, error instanceof Error ? error : new Error(inWords(error), { cause: error })];
    }
  };
  const begun: Promise<[T, R | Error]>[] = [];
  for (const item of items) {
    begun.push(begin(item));
    const first = begun.length > ahead ? begun.shift() : undefined;
    if (first) yield await first;
  }
  for (const rest of begun) yield await rest;
}

/** Returns an output for a terminal, which prints line by line through the filter for job logs. */
function linesOn(console: Pick<Console, "jobLog">): { write(chunk: Uint8Array): Promise<void>; end(): void } {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    async write(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) console.jobLog(newestState(line));
    },
    end() {
      rest += decoder.decode();
      if (rest !== "") console.jobLog(newestState(rest));
    },
  };
}

/** Returns what a terminal would show of a line that was rewritten with carriage returns. */
const newestState = (line: string): string => line.split("\r").findLast((state) => state !== "") ?? "";
