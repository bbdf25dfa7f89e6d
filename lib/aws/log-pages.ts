import { type CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { type AttemptRef, logStream } from "../model/job.ts";
import type { AttemptLogs, LogLine } from "../ports/attempt-logs.ts";
import { awsErrorKind, isDefinite } from "./errors.ts";

/** JSON that a Lambda's answer has room for, which is 6 MB with each quote escaped. */
const mostBytes = 2_500_000;
/** One reading asks again for fewer lines where they are long, and goes on where a page was empty. */
const mostCalls = 8;

type From = { readonly cursor?: string | undefined; readonly limit: number };

/** A team's log group is named by `groupPrefix` and the team. CloudWatch's own forward tokens are the cursors. */
export const cloudWatchLogPages = (logs: Pick<CloudWatchLogsClient, "send">, groupPrefix: string): AttemptLogs => ({
  async page(attempt, from) {
    let asked: From = from;
    for (let calls = 0; calls < mostCalls; calls += 1) {
      const answer = await ask(logs, streamOf(groupPrefix, attempt), asked);
      if (answer.kind === "bad-cursor") return answer;
      const again = answer.kind === "read" ? whatToAskNext(asked, answer) : undefined;
      if (again === undefined) {
        const { lines, next } = answer;
        return { kind: "page", lines, cursor: next, more: lines.length >= asked.limit };
      }
      asked = again;
    }
    return { kind: "page", lines: [], cursor: asked.cursor, more: true };
  },
});

type ReadLines = { readonly lines: readonly LogLine[]; readonly next: string | undefined };

/** Undefined when this is a page: it fits, and has lines or is the end. The end is where the token does not move. */
function whatToAskNext({ cursor, limit }: From, { lines, next }: ReadLines): From | undefined {
  if (lines.length > 1 && bytesOf(lines) > mostBytes) return { cursor, limit: Math.ceil(lines.length / 4) };
  return lines.length > 0 || next === cursor ? undefined : { cursor: next, limit };
}

const streamOf = (groupPrefix: string, attempt: AttemptRef) => ({
  logGroupName: `${groupPrefix}${attempt.team}`,
  logStreamName: logStream(attempt),
});

type Answer = ({ readonly kind: "read" | "none" } & ReadLines) | { readonly kind: "bad-cursor" };

/** `none`: group and stream appear with the first line. */
async function ask(
  logs: Pick<CloudWatchLogsClient, "send">,
  stream: { readonly logGroupName: string; readonly logStreamName: string },
  { cursor, limit }: From,
): Promise<Answer> {
  try {
    const command = new GetLogEventsCommand({ ...stream, startFromHead: true, limit, nextToken: cursor });
    const { events = [], nextForwardToken } = await logs.send(command);
    return {
      kind: "read",
      lines: events.map(({ timestamp = 0, message = "" }) => ({ atMs: timestamp, text: message })),
      next: nextForwardToken ?? cursor,
    };
  } catch (error) {
    const kind = awsErrorKind(error);
    if (kind === "missing") return { kind: "none", lines: [], next: cursor };
    if (kind !== "denied" && cursor !== undefined && isDefinite(error)) return { kind: "bad-cursor" };
    throw error;
  }
}

const bytesOf = (lines: readonly LogLine[]): number =>
  lines.reduce((sum, { text }) => sum + Buffer.byteLength(JSON.stringify(text)) + 50, 0);
