import type { Chance } from "./chance.ts";

/**
 * The kinds of faults with their default rates, from 0 to 1, per opportunity. The part of a name before the dot is the seam at which the
 * fault happens.
 */
export const usualRates = {
  /** A queue delivers a message twice. */
  "sqs.duplicate": 0.04,
  /** A message arrives late, and so after messages that were sent later. */
  "sqs.delay": 0.06,
  /** The receiver of a message dies. The message is delivered again when its visibility timeout ends. */
  "sqs.drop": 0.02,
  /** A message's visibility timeout ends while its handler still runs, so that two run at once. */
  "sqs.lapse": 0.03,
  /** SQS does not accept a message, and the sender gets an error. */
  "sqs.unavailable": 0.01,
  /** A handler is killed before or after a call to a port. Drawn twelve times per run. */
  "lambda.kill": 0.7,
  /** For up to five minutes, Lambda refuses most invocations, because the account's concurrency is used up. Drawn once per run. */
  "lambda.throttled": 0.1,
  /** A call takes so long that its handler may time out, and is still carried out. */
  "lambda.slow": 0.006,
  /** A handler's clock is ahead or behind by up to two seconds. */
  "lambda.skew": 0.005,
  /** The table refuses a call. */
  "table.throttle": 0.006,
  /** The table carries out a call, but the response is lost. */
  "table.lost-answer": 0.006,
  /** The table cancels a call because another write of an item is in flight. The rate is multiplied by a chance that grows with the item's writes. */
  "table.conflict": 1,
  /** A partition of the table gets more writes than it takes. The rate is multiplied by the share of its writes that are too many. */
  "table.hot": 1,
  /** One item cannot be read, from some time of the run until it is repaired. Drawn once per run. */
  "table.unreadable": 0,
  /** S3 or KMS refuses a call. */
  "s3.trouble": 0.02,
  /** The event of an upload is lost. */
  "s3.lost-event": 0.05,
  /** An upload fails on the node. */
  "s3.upload-fails": 0.02,
  /** EC2 has no capacity in an offer for some minutes. */
  "ec2.dry": 0.35,
  /** RequestLimitExceeded. */
  "ec2.throttle": 0.06,
  /** EC2 carries out a call, but the response is lost. */
  "ec2.lost-answer": 0.06,
  /** EC2 refuses a launch because a permission is missing at that time, or because of its client token. */
  "ec2.turned-away": 0.03,
  /** For minutes, no launch gets a response, whether it was carried out or not. */
  "ec2.deaf": 0.1,
  /** The response takes seconds. */
  "ec2.late-answer": 0.05,
  /** An instance can neither be seen nor terminated for up to a minute after its launch. */
  "ec2.invisible": 0.15,
  /** A description of instances is up to a minute old. */
  "ec2.stale-look": 0.1,
  /** Descriptions leave out an instance that exists, for up to 50 seconds. */
  "ec2.absent-look": 0.05,
  /** An instance never boots. */
  "ec2.no-boot": 0.03,
  /** An instance takes up to five minutes to shut down, in which its programs run on. */
  "ec2.slow-end": 0.25,
  /** Somebody stops an on-demand instance in EC2's console. Half of those are started again, after up to a quarter of an hour. */
  "ec2.stopped-by-hand": 0.06,
  /** The event of a change is lost, arrives up to an hour late, or arrives twice. */
  "ec2.event-lost": 0.08,
  "ec2.event-late": 0.08,
  "ec2.event-twice": 0.08,
  /** A spot instance is interrupted, two minutes after the notice. */
  "spot.interruption": 0.1,
  /** A spot instance gets a rebalance recommendation, and stays. */
  "spot.rebalance": 0.06,
  /** All spot instances of a zone are interrupted at once. Drawn once per run. */
  "spot.storm": 0.15,
  /** An instance ends without notice. */
  "ec2.sudden-end": 0.05,
  /** A worker's process crashes and is restarted. */
  "worker.crash": 0.06,
  /** A machine freezes for up to 20 minutes. */
  "worker.freeze": 0.04,
  /** A machine hangs for good: nothing runs on it. EC2 says that the instance runs, and that it fails status checks. */
  "worker.death": 0.02,
  /** A machine has no network for up to 80 minutes. */
  "worker.partition": 0.06,
  /** A machine's clocks are wrong: the wall clock by up to two hours, the monotonic clock by up to 3 %. */
  "worker.skew": 0.2,
  /** A worker's call does not arrive. */
  "worker.lost-call": 0.01,
  /** A worker's call arrives, but the response is lost. */
  "worker.lost-answer": 0.01,
} as const;

export type FaultKind = keyof typeof usualRates;
export const faultKinds = Object.keys(usualRates) as readonly FaultKind[];
export type Rates = Readonly<Record<FaultKind, number>>;

export const seamOf = (kind: FaultKind): string => kind.slice(0, kind.indexOf("."));

/** Decides which faults happen, and counts them. Each kind has a random stream of its own, so that removing one does not affect others. */
export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #rates: Rates;
  readonly #only: ReadonlySet<FaultKind> | undefined;
  readonly #streams: ReadonlyMap<FaultKind, Chance>;
  readonly #note: (kind: FaultKind, about: string) => void;
  #isCalm = false;

  constructor(
    of: { readonly rates: Rates; readonly only?: ReadonlySet<FaultKind> | undefined; readonly chance: Chance },
    note: (kind: FaultKind, about: string) => void,
  ) {
    this.#rates = of.rates;
    this.#only = of.only;
    this.#streams = new Map(faultKinds.map((kind) => [kind, of.chance.fork(kind)]));
    this.#note = note;
  }

  /** Stops all faults from now on. */
  calmDown(): void {
    this.#isCalm = true;
  }

  get isCalm(): boolean {
    return this.#isCalm;
  }

  /** Reports whether the fault happens now, and counts it if so. `chance`, 0 to 1, multiplies its rate. */
  strikes(kind: FaultKind, about = "", chance = 1): boolean {
    if (!this.draws(kind, chance)) return false;
    this.count(kind, about);
    return true;
  }

  /** Reports whether the fault should happen later. The caller must count it when it happens. `chance`, 0 to 1, multiplies its rate. */
  draws(kind: FaultKind, chance = 1): boolean {
    if (this.#isCalm || this.#only?.has(kind) === false || chance === 0) return false;
    return this.chance(kind).happens(this.#rates[kind] * chance);
  }

  count(kind: FaultKind, about: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#note(kind, about);
  }

  /** Returns the kind's own stream, from which details such as durations should be drawn. */
  chance(kind: FaultKind): Chance {
    const stream = this.#streams.get(kind);
    if (!stream) throw new Error(`there is no fault ${kind}`);
    return stream;
  }
}
