import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod";
import { type Datum, single } from "../metrics/metric.ts";
import type { QueueFact } from "../provision/world.ts";
import type { LocalLog } from "../run/log-line.ts";

const count = z.coerce.number().int().min(0);
const Attributes = z.object({
  ApproximateNumberOfMessages: count,
  ApproximateNumberOfMessagesNotVisible: count,
  ApproximateNumberOfMessagesDelayed: count,
});

/**
 * Publishes the AWS/SQS metrics of queues, as SQS does once per minute. The emulated SQS does not report the age of the oldest
 * message, so the age is estimated: it is the time since the first poll that found the queue not empty. The oldest message is at
 * most one poll older than that, but may be younger if the queue never drains. NumberOfMessagesSent and similar metrics are
 * not published, because calls are not counted here.
 */
export function publishQueueMetrics(options: {
  readonly queues: readonly QueueFact[];
  readonly sqs: SQSClient;
  readonly periodMs: number;
  put(data: readonly Datum[]): void;
  now(): number;
  readonly log: LocalLog;
}): { close(): Promise<void> } {
  const { queues, sqs } = options;
  const stop = new AbortController();
  const notEmptySinceMs = new Map<string, number>();

  const look = async ({ url, name }: QueueFact): Promise<void> => {
    const { Attributes: given } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"],
      }),
      { abortSignal: stop.signal, requestTimeout: 5_000 },
    );
    const atMs = options.now();
    const seen = Attributes.parse(given);
    const total = seen.ApproximateNumberOfMessages + seen.ApproximateNumberOfMessagesNotVisible + seen.ApproximateNumberOfMessagesDelayed;
    if (total === 0) notEmptySinceMs.delete(url);
    else if (!notEmptySinceMs.has(url)) notEmptySinceMs.set(url, atMs);
    const datum = (metric: string, unit: string, value: number): Datum => ({
      metric: { namespace: "AWS/SQS", name: metric, dimensions: { QueueName: name } },
      atMs,
      unit,
      values: single(value),
    });
    options.put([
      datum("ApproximateNumberOfMessagesVisible", "Count", seen.ApproximateNumberOfMessages),
      datum("ApproximateNumberOfMessagesNotVisible", "Count", seen.ApproximateNumberOfMessagesNotVisible),
      datum("ApproximateNumberOfMessagesDelayed", "Count", seen.ApproximateNumberOfMessagesDelayed),
      datum("ApproximateAgeOfOldestMessage", "Seconds", Math.floor((atMs - (notEmptySinceMs.get(url) ?? atMs)) / 1000)),
    ]);
  };

  // One queue after the other, because this is not urgent and a slow emulator must not be called twice at once.
  const lookAtEach = async (): Promise<void> => {
    for (const queue of queues) {
      if (stop.signal.aborted) return;
      await look(queue).catch((error: unknown) => {
        if (!stop.signal.aborted) options.log({ message: "queue metrics not read", queue: queue.name, error });
      });
    }
  };
  let looking: Promise<void> | undefined;
  const lookAtAll = (): void => {
    looking ??= lookAtEach().finally(() => {
      looking = undefined;
    });
  };
  const timer = setInterval(lookAtAll, options.periodMs);
  timer.unref();
  lookAtAll();
  return {
    close: async () => {
      clearInterval(timer);
      stop.abort();
      await looking;
    },
  };
}
