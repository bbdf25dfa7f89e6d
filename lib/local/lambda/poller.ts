import { setTimeout as sleep } from "node:timers/promises";
import type { LocalLog } from "../run/log-line.ts";

export type QueueMessage = {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly [field: string]: unknown;
};

/** A queue as its reader sees it. A message that is not deleted is received again after its visibility timeout. */
export type QueueReader = {
  /** Resolves with the available messages, or with none after `waitSeconds`. */
  receive(options: { max: number; waitSeconds: number; signal: AbortSignal }): Promise<readonly QueueMessage[]>;
  delete(messages: readonly QueueMessage[]): Promise<void>;
};

/** The outcome of a batch: the ids of the messages that failed, or "all". */
export type BatchOutcome = { readonly failed: ReadonlySet<string> | "all" };

export type PollerOptions = {
  readonly queue: QueueReader;
  readonly batchSize: number;
  /** How long messages may be gathered into a batch, ms. */
  readonly windowMs: number;
  /** The maximum number of batches in progress. */
  readonly concurrency: number;
  handle(batch: readonly QueueMessage[]): Promise<BatchOutcome>;
  readonly log: LocalLog;
};

export type Poller = {
  /** Stops receiving and resolves when the batches in progress are done. */
  close(): Promise<void>;
};

const waitSeconds = 20;
const pauseAfterErrorMs = 1_000;
/** SQS returns at most ten messages per call. */
const receiveLimit = 10;
/** Below Lambda's payload limit of 6 MB, because the event also contains a little more than the messages' bodies. */
const batchLimitBytes = 5.5 * 1024 * 1024;

/**
 * Reads a queue for a function as Lambda's event source mapping does: it deletes handled messages and leaves the others to their
 * visibility timeout. In a FIFO queue, SQS itself holds a group back while one of its messages is in progress.
 */
export function startPoller(options: PollerOptions): Poller {
  const stop = new AbortController();
  const inHand = new Set<Promise<void>>();
  const aPlace = async (): Promise<void> => {
    while (inHand.size >= options.concurrency) await Promise.race(inHand);
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await aPlace();
      for (const batch of split(await gather(options, stop.signal))) {
        await aPlace();
        const work = carryOut(options, batch).finally(() => inHand.delete(work));
        inHand.add(work);
      }
    }
    await Promise.all(inHand);
  };
  const running = loop();
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

async function gather(options: PollerOptions, signal: AbortSignal): Promise<QueueMessage[]> {
  const batch = [...(await receive(options, { max: options.batchSize, waitSeconds, signal }))];
  const until = performance.now() + options.windowMs;
  while (batch.length > 0 && batch.length < options.batchSize && performance.now() < until && !signal.aborted) {
    const left = Math.ceil((until - performance.now()) / 1000);
    batch.push(...(await receive(options, { max: options.batchSize - batch.length, waitSeconds: left, signal })));
  }
  return batch;
}

async function receive(
  { queue, log }: PollerOptions,
  wanted: { max: number; waitSeconds: number; signal: AbortSignal },
): Promise<readonly QueueMessage[]> {
  try {
    return await queue.receive({ ...wanted, max: Math.min(wanted.max, receiveLimit) });
  } catch (error) {
    if (wanted.signal.aborted) return [];
    log({ message: "queue not read", error });
    await sleep(pauseAfterErrorMs, undefined, { signal: wanted.signal }).catch(() => undefined);
    return [];
  }
}

/** Splits messages into batches that are small enough for one invocation. */
function split(messages: readonly QueueMessage[]): QueueMessage[][] {
  const batches: QueueMessage[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = Buffer.byteLength(JSON.stringify(message.body));
    if (bytes + size > batchLimitBytes) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(message);
    bytes += size;
  }
  return batches;
}

async function carryOut({ queue, handle, log }: PollerOptions, batch: readonly QueueMessage[]): Promise<void> {
  try {
    const { failed } = await handle(batch);
    const done = failed === "all" ? [] : batch.filter((message) => !failed.has(message.messageId));
    if (done.length > 0) await queue.delete(done);
  } catch (error) {
    log({ message: "batch not handled", error });
  }
}
