import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { LogSink } from "./log-stream.ts";
import type { AttemptCredentials } from "./s3.ts";

/** Writes to one CloudWatch Logs stream, which it makes at its first batch. The group is the stack's. */
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
          // From an earlier try whose answer was lost.
          if (!(error instanceof Error && error.name === "ResourceAlreadyExistsException")) throw error;
        }
        made = true;
      }
      await client.send(new PutLogEventsCommand({ ...name, logEvents: [...events] }));
    },
    close: () => client.destroy(),
  };
}
