import { setTimeout as sleep } from "node:timers/promises";
import { GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type Blueprint, type EventSourceFact, nameOf, type RuleTargetFact } from "../provision/world.ts";
import type { LocalLog } from "../run/log-line.ts";
import { createAsynchronousCaller } from "./asynchronous.ts";
import { batchOutcome } from "./batch-outcome.ts";
import type { Functions } from "./functions.ts";
import { type Poller, startPoller } from "./poller.ts";
import { startSchedule } from "./schedules.ts";
import { createSqsReader } from "./sqs-reader.ts";

type WiresOptions = { readonly blueprint: Blueprint; readonly functions: Functions; readonly sqs: SQSClient; readonly log: LocalLog };

/** Batches in progress at once: for a standard queue as many as Lambda starts with, for a FIFO queue one per busy pool. */
const concurrency = { standard: 5, fifo: 10 };

/** Returns how many batches of a queue are in progress at most: as many as its mapping allows, but no more than this machine can run. */
export function batchesAtOnce({ queueArn, maximumConcurrency = 1_000 }: Pick<EventSourceFact, "queueArn" | "maximumConcurrency">): number {
  return Math.min(maximumConcurrency, queueArn.endsWith(".fifo") ? concurrency.fifo : concurrency.standard);
}

/** Starts everything that calls functions on its own: queues, rules and schedules. */
export async function startWires(options: WiresOptions): Promise<{ close(): Promise<void> }> {
  const { blueprint, functions, sqs, log } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  const call = createAsynchronousCaller({ functions, blueprint, sqs, pause, signal });
  const failed = (schedule: string) => (error: unknown) => {
    if (!stop.signal.aborted) log({ message: "schedule failed", schedule, error });
  };
  const pollers = await Promise.all([
    ...blueprint.eventSources.map((fact) => pollQueue(fact, options)),
    ...blueprint.ruleTargets.map((fact) => pollRelay(fact, options, call)),
  ]);
  const schedules = blueprint.schedules.map((fact) =>
    startSchedule(fact.expression, () => {
      call(fact.functionArn, JSON.parse(fact.input)).catch(failed(fact.name));
    }),
  );
  return {
    close: async () => {
      stop.abort();
      for (const schedule of schedules) schedule.close();
      await Promise.all(pollers.map((poller) => poller.close()));
    },
  };
}

async function pollQueue(fact: EventSourceFact, { functions, sqs, log }: WiresOptions): Promise<Poller> {
  const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: nameOf(fact.queueArn) }));
  return startPoller({
    queue: createSqsReader(sqs, { url: QueueUrl, arn: fact.queueArn }),
    batchSize: fact.batchSize,
    windowMs: fact.windowMs,
    concurrency: batchesAtOnce(fact),
    log,
    handle: async (batch) => {
      const invocation = await functions.invoke(fact.functionName, { Records: batch });
      return batchOutcome(invocation, { messageIds: batch.map((message) => message.messageId), partialFailures: fact.partialFailures });
    },
  });
}

/** Reads a rule's relay queue. Its messages never fail, because EventBridge is done with an event once Lambda has accepted it. */
async function pollRelay(
  fact: RuleTargetFact,
  { sqs, log }: WiresOptions,
  call: (arn: string, event: unknown) => Promise<void>,
): Promise<Poller> {
  return startPoller({
    queue: createSqsReader(sqs, { url: fact.relayUrl, arn: fact.relayArn }),
    batchSize: 1,
    windowMs: 0,
    concurrency: concurrency.fifo,
    log,
    handle: async (batch) => {
      for (const message of batch) await call(fact.functionArn, JSON.parse(message.body));
      return { failed: new Set() };
    },
  });
}
