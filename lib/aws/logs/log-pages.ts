import { type CloudWatchLogsClient, GetLogEventsCommand, type GetLogEventsCommandInput } from "@aws-sdk/client-cloudwatch-logs";
import { pieceOf } from "../../../events/artifacts/log-line.ts";
import { type AttemptRef, logStream } from "../../model/job.ts";
import type { AttemptLogs, LogPlace, OutputLine } from "../../ports/attempt-logs.ts";
import { awsErrorKind, isDefinite } from "../errors.ts";

type Logs = Pick<CloudWatchLogsClient, "send">;
type Page = Awaited<ReturnType<AttemptLogs["page"]>>;

/** The largest JSON that fits into a Lambda's response, which is limited to 6 MB with each quote escaped. */
const maxBytes = 2_500_000;
/** CloudWatch returns at most 1 MB, so a page with fewer lines than requested may be full. Pages from this size on count as full. */
const fullBytes = 500_000;
/** The most calls per page. Long lines are read again in smaller numbers, and empty pages are skipped. */
const maxCalls = 8;

/** Reads teams' log groups, which are named `groupPrefix` and the team. The cursors are CloudWatch's forward tokens. */
export const cloudWatchLogPages = (logs: Logs, groupPrefix: string): AttemptLogs => ({
  page(attempt, place) {
    const stream = { logGroupName: `${groupPrefix}${attempt.team}`, logStreamName: streamOf(attempt, place) };
    const read: Read = (request) => getEvents(logs, { ...stream, startTime: place.sinceMs, ...request });
    return place.newest && place.cursor === undefined ? newest(read, place.limit) : after(read, place);
  },
});

const streamOf = (attempt: AttemptRef, { rank }: LogPlace): string => logStream(attempt, rank);

type PageRequest = Pick<GetLogEventsCommandInput, "startFromHead" | "limit" | "nextToken">;
type PageResult =
  | {
      readonly kind: "read" | "none";
      readonly lines: readonly OutputLine[];
      readonly forward?: string | undefined;
      readonly backward?: string | undefined;
    }
  | { readonly kind: "bad-cursor" };
type Read = (request: PageRequest) => Promise<PageResult>;

/** Returns the lines after the cursor. */
async function after(read: Read, { cursor: first, limit: most }: LogPlace): Promise<Page> {
  let [cursor, limit] = [first, most];
  for (let calls = 0; calls < maxCalls; calls += 1) {
    const result = await read({ startFromHead: true, limit, nextToken: cursor });
    if (result.kind === "bad-cursor") return result;
    const { lines } = result;
    const next = result.forward ?? cursor;
    const bytes = bytesOf(lines);
    if (lines.length > 1 && bytes > maxBytes) {
      limit = Math.ceil(lines.length / 4);
      continue;
    }
    // The token does not change at the end of the log.
    const isPage = lines.length > 0 || result.kind === "none" || next === cursor;
    if (isPage) return { kind: "page", lines, cursor: next, more: lines.length >= limit || bytes >= fullBytes };
    cursor = next;
  }
  return { kind: "page", lines: [], cursor, more: true };
}

/** Returns the newest lines, read from the end: as many as requested, or as many as fit into a response. */
async function newest(read: Read, most: number): Promise<Page> {
  let lines: readonly OutputLine[] = [];
  let cursor: string | undefined;
  let backward: string | undefined;
  for (let calls = 0; calls < maxCalls && lines.length < most; calls += 1) {
    const result = await read({ startFromHead: false, limit: most - lines.length, nextToken: backward });
    if (result.kind === "bad-cursor") return result;
    cursor ??= result.forward;
    lines = [...result.lines, ...lines];
    const isEnd = result.kind === "none" || result.backward === backward || (lines.length > 0 && result.lines.length === 0);
    if (isEnd || bytesOf(lines) > maxBytes) break;
    backward = result.backward;
  }
  return { kind: "page", lines: lastThatFit(lines), cursor, more: false };
}

function lastThatFit(lines: readonly OutputLine[]): readonly OutputLine[] {
  let bytes = 0;
  const first = lines.findLastIndex((line) => {
    bytes += bytesOf([line]);
    return bytes > maxBytes;
  });
  return lines.slice(Math.min(first + 1, lines.length - 1));
}

/** Calls CloudWatch. The result is `none` if the group or the stream does not exist, because they appear with the first line. */
async function getEvents(logs: Logs, input: GetLogEventsCommandInput): Promise<PageResult> {
  try {
    const { events = [], nextForwardToken, nextBackwardToken } = await logs.send(new GetLogEventsCommand(input));
    return {
      kind: "read",
      lines: events.map(({ timestamp = 0, message = "" }) => ({ atMs: timestamp, ...pieceOf(message) })),
      forward: nextForwardToken,
      backward: nextBackwardToken,
    };
  } catch (error) {
    const kind = awsErrorKind(error);
    if (kind === "missing") return { kind: "none", lines: [] };
    if (kind !== "denied" && input.nextToken !== undefined && isDefinite(error)) return { kind: "bad-cursor" };
    throw error;
  }
}

const bytesOf = (lines: readonly OutputLine[]): number =>
  lines.reduce((sum, { text }) => sum + Buffer.byteLength(JSON.stringify(text)) + 50, 0);
