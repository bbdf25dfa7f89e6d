import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { expect, inject, test } from "vitest";
import { logsClient } from "../../lib/aws/clients.ts";
import { cloudWatchAttemptLog } from "../../lib/aws/log-reader.ts";
import { unique, wire } from "./wire.ts";

const logs = logsClient(wire(inject("ministackUrl")));
const attempt = { team: "vision", job: "train-1", attempt: 2 };

test("an attempt's lines come in their order, and later ones after the position of the last reading", async () => {
  const prefix = unique("/logs/");
  const log = cloudWatchAttemptLog(logs, prefix);
  expect(await log.read(attempt)).toEqual({ lines: [], position: undefined });

  const stream = { logGroupName: `${prefix}vision`, logStreamName: "train-1/2" };
  await logs.send(new CreateLogGroupCommand({ logGroupName: stream.logGroupName }));
  expect((await log.read(attempt)).lines).toEqual([]);
  await logs.send(new CreateLogStreamCommand(stream));
  const now = Date.now();
  const put = (from: number, count: number): Promise<unknown> =>
    logs.send(
      new PutLogEventsCommand({
        ...stream,
        logEvents: Array.from({ length: count }, (_, i) => ({ timestamp: now + from + i, message: `line ${from + i}` })),
      }),
    );
  await put(0, 5_000);
  await put(5_000, 7_000);

  const first = await log.read(attempt);
  expect(first.lines.length).toBe(12_000);
  expect(first.lines.map(({ text }) => text)).toEqual(Array.from({ length: 12_000 }, (_, i) => `line ${i}`));
  expect(first.lines[0]?.atMs).toBe(now);

  await put(12_000, 3);
  const second = await log.read(attempt, first.position);
  expect(second.lines.map(({ text }) => text)).toEqual(["line 12000", "line 12001", "line 12002"]);
  expect((await log.read(attempt, second.position)).lines).toEqual([]);
});
