import { setTimeout as sleep } from "node:timers/promises";
import { GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { FleetError } from "../../model/fleet-error.ts";
import { type Blueprint, type EventSourceFact, nameOf, type RuleTargetFact } from "../provision/world.ts";
import type { LocalLog } from "../run/log-line.ts";
import { createAsynchronousCaller } from "./asynchronous.ts";
import { batchOutcome } from "./batch-outcome.ts";
import type { Functions } from "./functions.ts";
import { type PollerOptions, startPoller } from "./poller.ts";
import { startSchedule } from "./schedules.ts";
import { createSqsReader } from "./sqs-reader.ts";

type WiresOptions = { readonly blueprint: Blueprint; readonly functions: Functions; readonly sqs: SQSClient; readonly log: LocalLog };

/** Batches in progress at once: for a standard queue as many as Lambda starts with, for a FIFO queue one per busy pool. */
const concurrency = { standard: 5, fifo: 10 };

/** Returns how many batches of a queue are in progress at most: as many as its mapping allows, but no more than this machine can run. */
export function batchesAtOnce({ queueArn, maximumConcurrency = 1_000 }: Pick<EventSourceFact, "queueArn" | "maximumConcurrency">): number {
  return Math.min(maximumConcurrency, queueArn.endsWith(".fifo") ? concurrency.fifo : concurrency.standard);
}

/** Everything that calls functions on its own. */
export type Wires = {
  /**
   * Stops every call, as an outage of Lambda does: queues are not read, events wait, and a schedule's calls are lost. A batch in hand fails.
   * Calling it twice is safe.
   */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
};

/** Starts what calls functions: queues, rules and schedules. */
export async function startWires(options: WiresOptions): Promise<Wires> {
  const { blueprint, functions, sqs, log } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  let paused: PromiseWithResolvers<void> | undefined;
  /** Waits until Lambda is within reach, because its own queue keeps asynchronous calls. */
  const whenReached: Pick<Functions, "invoke"> = {
    invoke: async (name, event) => {
      await paused?.promise;
      return functions.invoke(name, event);
    },
  };
  const ifReached: Pick<Functions, "invoke"> = {
    invoke: async (name, event) => {
      if (paused) throw new FleetError("outage", `${name} is out of reach`);
      return functions.invoke(name, event);
    },
  };
  const call = createAsynchronousCaller({ functions: whenReached, blueprint, sqs, pause, signal });
  const failed = (schedule: string) => (error: unknown) => {
    if (!stop.signal.aborted) log({ message: "schedule failed", schedule, error });
  };
  const queues = await Promise.all([
    ...blueprint.eventSources.map((fact) => queueOf(fact, { ...options, functions: ifReached })),
    ...blueprint.ruleTargets.map(async (fact) => relayOf(fact, options, call)),
  ]);
  let pollers = queues.map(startPoller);
  const closing = new Set<Promise<void>>();
  const stopPollers = (): void => {
    for (const poller of pollers.splice(0)) {
      const closed = poller.close().finally(() => closing.delete(closed));
      closing.add(closed);
    }
  };
  const schedules = blueprint.schedules.map((fact) =>
    startSchedule(fact.expression, () => {
      if (!paused) call(fact.functionArn, JSON.parse(fact.input)).catch(failed(fact.name));
    }),
  );
  return {
    pause() {
      if (paused) return;
      paused = Promise.withResolvers();
      paused.promise.catch(() => undefined);
      stopPollers();
    },
    resume() {
      if (!paused || signal.aborted) return;
      paused.resolve();
      paused = undefined;
      pollers = queues.map(startPoller);
    },
    close: async () => {
      stop.abort();
      paused?.reject(new FleetError("closed", "The local cloud was closed during an outage"));
      for (const schedule of schedules) schedule.close();
      stopPollers();
      await Promise.all(closing);
    },
  };
}

type Calling = Pick<WiresOptions, "sqs" | "log"> & { readonly functions: Pick<Functions, "invoke"> };

async function queueOf(fact: EventSourceFact, { functions, sqs, log }: Calling): Promise<PollerOptions> {
  const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: nameOf(fact.queueArn) }));
  return {
    queue: createSqsReader(sqs, { url: QueueUrl, arn: fact.queueArn }),
    batchSize: fact.batchSize,
    windowMs: fact.windowMs,
    concurrency: batchesAtOnce(fact),
    log,
    handle: async (batch) => {
      const invocation = await functions.invoke(fact.functionName, { Records: batch });
      return batchOutcome(invocation, { messageIds: batch.map((message) => message.messageId), partialFailures: fact.partialFailures });
    },
  };
}

/** The relay queue of a rule. Its messages never fail, because EventBridge is done with an event once Lambda has accepted it. */
function relayOf(
  fact: RuleTargetFact,
  { sqs, log }: Pick<WiresOptions, "sqs" | "log">,
  call: (arn: string, event: unknown) => Promise<void>,
): PollerOptions {
  return {
    queue: createSqsReader(sqs, { url: fact.relayUrl, arn: fact.relayArn }),
    batchSize: 1,
    windowMs: 0,
    concurrency: concurrency.fifo,
    log,
    handle: async (batch) => {
      for (const message of batch) await call(fact.functionArn, JSON.parse(message.body));
      return { failed: new Set() };
    },
  };
}
