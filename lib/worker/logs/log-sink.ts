import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  type RejectedLogEventsInfo,
} from "@aws-sdk/client-cloudwatch-logs";
import type { AttemptCredentials } from "../runtime/s3.ts";
import type { LogSink } from "./log-batches.ts";

/** Writes to one CloudWatch Logs stream, which it creates with its first batch. The stack creates the log group. */
export function cloudWatchSink(
  of: { readonly group: string; readonly stream: string },
  access: { readonly region: string; readonly credentials: AttemptCredentials },
): LogSink {
  const client = new CloudWatchLogsClient({
    region: access.region,
    credentials: access.credentials.provider,
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
  const name = { logGroupName: of.group, logStreamName: of.stream };
  let made = false;
  return {
    async put(events) {
      if (!made) {
        try {
          await client.send(new CreateLogStreamCommand(name));
        } catch (error) {
          // The stream exists already if the response to an earlier try was lost.
          if (!(error instanceof Error && error.name === "ResourceAlreadyExistsException")) throw error;
        }
        made = true;
      }
      const { rejectedLogEventsInfo } = await client.send(new PutLogEventsCommand({ ...name, logEvents: [...events] }));
      return refused(events.length, rejectedLogEventsInfo);
    },
    close: () => client.destroy(),
  };
}

/** Returns how many events CloudWatch refused in an accepted batch, because they are too old or too far ahead of its clock. */
function refused(events: number, info: RejectedLogEventsInfo | undefined): number {
  const tooOld = Math.max(info?.tooOldLogEventEndIndex ?? 0, info?.expiredLogEventEndIndex ?? 0);
  return tooOld + (events - Math.max(tooOld, info?.tooNewLogEventStartIndex ?? events));
}
