import type { HandlerName } from "../../../sim/world/handlers.ts";
import type { Counts } from "./counts.ts";

/** The memory of each function, MiB, as in the stack. `test/cdk/control-cost.test.ts` compares them. */
export const memoryMiB: Readonly<Record<HandlerName, number>> = {
  "submit-jobs": 512,
  place: 1769,
  "ring-later": 256,
  node: 512,
  "seal-artifact": 1769,
  "take-outbox": 1024,
  "rebalance-shards": 1769,
  "on-instance": 256,
  "on-alarm": 256,
  api: 1024,
  tick: 1024,
};

/** The queue from which Lambda takes the messages of a function: it receives them with one request and deletes them with another. */
const polled: Partial<Readonly<Record<HandlerName, "sqs" | "sqsFifo">>> = {
  "submit-jobs": "sqs",
  place: "sqsFifo",
  "ring-later": "sqs",
  "seal-artifact": "sqs",
  "take-outbox": "sqs",
  "rebalance-shards": "sqs",
};

/** A function has a whole processor with this much memory, MiB. */
const wholeProcessorMiB = 1769;

/**
 * The processor time of a request to AWS, ms: to sign, send and read it. A GetItem, an UpdateItem and a TransactWriteItems of three parts took
 * 0.53 to 0.66 ms each with the adapters of lib/aws/table over plain HTTP (Node 24, 3,000 calls each); the rest is for TLS.
 */
const requestCpuMs = 1;
/**
 * The processor time of a run besides its requests, ms. `place` took 0.5 ms per run between its calls in a measured hour with 100 jobs; the rest
 * is for Lambda's runtime and the lines of the log.
 */
const runCpuMs = 2;
/** The bytes of START, END and REPORT, which Lambda writes to the log for each run. */
const logBytesPerRun = 300;

/** Returns what a run is billed, besides its requests. `waitedMs`: how long it waited for requests. Lambda bills whole milliseconds. */
export function runBills(
  handler: HandlerName,
  { waitedMs, requests }: { readonly waitedMs: number; readonly requests: number },
): Partial<Counts> {
  const memory = memoryMiB[handler];
  const slowness = Math.max(1, wholeProcessorMiB / memory);
  const ms = Math.ceil(waitedMs + (runCpuMs + requests * requestCpuMs) * slowness);
  const queue = polled[handler];
  return { runs: 1, gibSeconds: (memory / 1024) * (ms / 1_000), logBytes: logBytesPerRun, ...(queue && { [queue]: 2 }) };
}
