import { type CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { type AttemptRef, logStream } from "../model/job.ts";
import { awsErrorKind } from "./errors.ts";

export type LogLine = { readonly atMs: number; readonly text: string };

/** What an attempt has written, as far as it has arrived. */
export type AttemptLog = {
  /**
   * The lines after `position`, oldest first; all of them without one. The answer's position goes into the next call.
   * No lines and no position while the attempt has written nothing.
   */
  read(attempt: AttemptRef, position?: string): Promise<{ readonly lines: readonly LogLine[]; readonly position?: string | undefined }>;
};

/** One answer holds up to 10,000 lines; a caller that wants more asks again. */
const mostPages = 10;

/** A team's log group is named by `groupPrefix` and the team, an attempt's stream `JOB/ATTEMPT`. */
export const cloudWatchAttemptLog = (logs: Pick<CloudWatchLogsClient, "send">, groupPrefix: string): AttemptLog => ({
  async read(attempt, position) {
    const stream = { logGroupName: `${groupPrefix}${attempt.team}`, logStreamName: logStream(attempt), startFromHead: true };
    const lines: LogLine[] = [];
    let at = position;
    for (let page = 0; page < mostPages; page++) {
      const answer = await logs.send(new GetLogEventsCommand({ ...stream, nextToken: at })).catch(noneYet);
      if (answer === undefined) return { lines, position: at };
      lines.push(...(answer.events ?? []).map((event) => ({ atMs: event.timestamp ?? 0, text: event.message ?? "" })));
      // The end is reached when the token does not move; a page may be empty before it.
      if (answer.nextForwardToken === undefined || answer.nextForwardToken === at) return { lines, position: at };
      at = answer.nextForwardToken;
    }
    return { lines, position: at };
  },
});

/** Group and stream appear with the first line. */
function noneYet(error: unknown): undefined {
  if (awsErrorKind(error) === "missing") return undefined;
  throw error;
}
