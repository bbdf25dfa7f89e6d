/** A time that is drawn evenly between two bounds, ms. */
export type Range = { readonly min: number; readonly max: number };

/** How many instances an offer can hold at once: always, or from each moment on (ms since this EC2 began), in order of time. */
export type CapacityPlan = number | readonly (readonly [atMs: number, count: number])[];

/** A bucket of request tokens: so many calls at once when it is full, so many a second after that. */
export type RequestRate = { readonly burst: number; readonly perSecond: number };

/** How this EC2 differs from an ideal one. */
export type Ec2Behaviour = {
  /** From the call to `running`, ms. */
  readonly pendingMs: number;
  /** From `running` to the boot script's first step, for each instance. */
  readonly bootMs: Range;
  /** How long the boot script tries to get its worker before it shuts the instance down, ms. */
  readonly bootTimeoutMs: number;
  /** From a worker's crash to its next start, ms: what systemd waits on a real instance. */
  readonly restartMs: number;
  /** How long a new instance is unknown to DescribeInstances and TerminateInstances, for each instance. */
  readonly describeLagMs: Range;
  /** From a change of an instance's state to the event that tells of it, for each event; an instance's events keep their order. */
  readonly eventDelayMs: Range;
  /** From the end of a call to its answer, for each call. */
  readonly answerMs: Range;
  /** From the warning to the end of a spot instance that is interrupted, ms; two minutes on AWS. */
  readonly interruptionNoticeMs: number;
  /** From SIGTERM to SIGKILL for what runs on an ended instance, ms. */
  readonly shutdownMs: number;
  /**
   * What offers can hold, by `type/zone/market`, where `*` stands for any. Not listed: without limit. Where a plan falls below
   * what spot instances there are, the newest are taken back.
   */
  readonly capacity: Readonly<Record<string, CapacityPlan>>;
  /** At what rate an action may be called, by its name; `*` stands for each that is not listed, with a bucket of its own. */
  readonly requests: Readonly<Record<string, RequestRate>>;
  /** Prices and delays follow from it. */
  readonly seed: number;
};

const none: Range = { min: 0, max: 0 };

export const defaultBehaviour: Ec2Behaviour = {
  pendingMs: 100,
  bootMs: { min: 300, max: 900 },
  bootTimeoutMs: 120_000,
  restartMs: 2000,
  describeLagMs: none,
  eventDelayMs: none,
  answerMs: none,
  interruptionNoticeMs: 120_000,
  shutdownMs: 3000,
  capacity: {},
  requests: {},
  seed: 1,
};
