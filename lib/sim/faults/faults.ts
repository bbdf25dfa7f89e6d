import type { Chance } from "./chance.ts";

/**
 * What can go wrong, and how often by default: of a hundred chances that it has, one in `0.01`.
 * The part before the dot is the seam at which it happens.
 */
export const usualRates = {
  /** A queue delivers a message twice. */
  "sqs.duplicate": 0.04,
  /** A message comes late, and so behind those that were sent after it. */
  "sqs.delay": 0.06,
  /** Who received a message is gone: it comes again when its visibility ends. */
  "sqs.drop": 0.02,
  /** A message's visibility ends while its handler still runs: two run at once. */
  "sqs.lapse": 0.03,
  /** A message is not taken: whoever sends it is told. */
  "sqs.unavailable": 0.01,
  /** A handler is killed before or after a call to a port: rate of its being armed, twelve times a run. */
  "lambda.kill": 0.7,
  /** A call takes so long that its handler may be ended by its time-out, and happens all the same. */
  "lambda.slow": 0.006,
  /** A handler's clock goes before or after the others by up to two seconds. */
  "lambda.skew": 0.005,
  /** The table does not take a call. */
  "table.throttle": 0.006,
  /** The table does what it was asked, and the answer is lost. */
  "table.lost-answer": 0.006,
  /** S3 or KMS does not take a call. */
  "s3.trouble": 0.02,
  /** The event of an upload is lost. */
  "s3.lost-event": 0.05,
  /** An upload fails on the node. */
  "s3.upload-fails": 0.02,
  /** EC2 has no capacity in an offer for some minutes. */
  "ec2.dry": 0.35,
  /** RequestLimitExceeded. */
  "ec2.throttle": 0.06,
  /** EC2 does what it was asked, and the answer is lost. */
  "ec2.lost-answer": 0.06,
  /** EC2 does not take a launch, for a permission that is missing just then, or for its token. */
  "ec2.turned-away": 0.03,
  /** For minutes, no launch gets an answer, whether it was done or not. */
  "ec2.deaf": 0.1,
  /** The answer takes seconds. */
  "ec2.late-answer": 0.05,
  /** An instance cannot be seen, nor ended, for up to a minute after its launch. */
  "ec2.invisible": 0.15,
  /** An instance never boots. */
  "ec2.no-boot": 0.03,
  /** The event of a change is lost, late, or comes twice. */
  "ec2.event-lost": 0.08,
  "ec2.event-late": 0.08,
  "ec2.event-twice": 0.08,
  /** A spot instance is taken back, two minutes after its notice. */
  "spot.interruption": 0.1,
  /** A spot instance is said to be at risk, and stays. */
  "spot.rebalance": 0.06,
  /** A whole zone's spot instances are taken back at once: chance of it in a run. */
  "spot.storm": 0.15,
  /** An instance ends without a word. */
  "ec2.sudden-end": 0.05,
  /** A worker's process dies and is started again. */
  "worker.crash": 0.06,
  /** A machine stands still for up to 20 minutes. */
  "worker.freeze": 0.04,
  /** A machine reaches nobody for up to 20 minutes. */
  "worker.partition": 0.06,
  /** A machine's clocks run wrong: wall by hours, monotonic by three in a hundred. */
  "worker.skew": 0.2,
  /** A worker's call does not arrive. */
  "worker.lost-call": 0.01,
  /** A worker's call is heard, and its answer lost. */
  "worker.lost-answer": 0.01,
} as const;

export type FaultKind = keyof typeof usualRates;
export const faultKinds = Object.keys(usualRates) as readonly FaultKind[];
export type Rates = Readonly<Record<FaultKind, number>>;

export const seamOf = (kind: FaultKind): string => kind.slice(0, kind.indexOf("."));

/** Decides what goes wrong, and counts it. Each kind draws from a stream of its own: without one, the others strike as they did. */
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

  /** From now on all goes well. */
  calmDown(): void {
    this.#isCalm = true;
  }

  get isCalm(): boolean {
    return this.#isCalm;
  }

  /** Whether it happens now; it is counted if so. */
  strikes(kind: FaultKind, about = ""): boolean {
    if (!this.draws(kind)) return false;
    this.count(kind, about);
    return true;
  }

  /** Whether it is to happen, later; to be counted when it has. */
  draws(kind: FaultKind): boolean {
    if (this.#isCalm || this.#only?.has(kind) === false) return false;
    return this.chance(kind).happens(this.#rates[kind]);
  }

  count(kind: FaultKind, about: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#note(kind, about);
  }

  /** For how long, which one: drawn from the kind's own stream. */
  chance(kind: FaultKind): Chance {
    const stream = this.#streams.get(kind);
    if (!stream) throw new Error(`there is no fault ${kind}`);
    return stream;
  }
}
