import { prices } from "../prices.ts";

/** What AWS bills for work, and the price of one, in USD. */
const billed = {
  /** Runs of functions. */
  runs: prices.lambda,
  /** Memory of functions times the duration of their runs, GiB and seconds. */
  gibSeconds: prices.lambdaTime,
  /** Request units of the table. */
  reads: prices.read,
  writes: prices.write,
  /** Requests of queues: sent, received and deleted messages. */
  sqs: prices.sqs,
  sqsFifo: prices.sqsFifo,
  s3Puts: prices.s3Put,
  s3Gets: prices.s3Get,
  keyRequests: prices.keyRequest,
  /** Bytes of log lines that Lambda itself writes. */
  logBytes: prices.logByte,
} as const;

export type Billed = keyof typeof billed;
export const everyBilled = Object.keys(billed) as readonly Billed[];

/** How much of each was used. */
export type Counts = Readonly<Record<Billed, number>>;

export const noCounts: Counts = {
  runs: 0,
  gibSeconds: 0,
  reads: 0,
  writes: 0,
  sqs: 0,
  sqsFifo: 0,
  s3Puts: 0,
  s3Gets: 0,
  keyRequests: 0,
  logBytes: 0,
};

const each = (of: (name: Billed) => number): Counts => Object.fromEntries(everyBilled.map((name) => [name, of(name)])) as Counts;

export const plusCounts = (a: Counts, b: Partial<Counts>): Counts => each((name) => a[name] + (b[name] ?? 0));
export const minusCounts = (a: Counts, b: Counts): Counts => each((name) => a[name] - b[name]);
export const timesCounts = (a: Counts, factor: number): Counts => each((name) => a[name] * factor);

/** Returns what one kind of use costs, in USD. */
export const usdOf = (name: Billed, count: number): number => count * billed[name];

/** Returns what all of it costs at list prices, in USD. */
export const usdOfAll = (counts: Counts): number => everyBilled.reduce((sum, name) => sum + usdOf(name, counts[name]), 0);
