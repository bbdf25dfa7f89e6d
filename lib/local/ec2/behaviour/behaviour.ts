/** A time that is drawn uniformly between two bounds, ms. */
export type Range = { readonly min: number; readonly max: number };

/** How many instances an offer can hold at once: always, or from each moment on (ms since the start of this EC2), in order of time. */
export type CapacitySchedule = number | readonly (readonly [atMs: number, count: number])[];

/** A token bucket for requests: `burst` calls at once if it is full, then `perSecond` calls per second. */
export type RequestRate = { readonly burst: number; readonly perSecond: number };

/** How this EC2 differs from an ideal one. */
export type Ec2Behaviour = {
  /** Time from the call to `running`, ms. */
  readonly pendingMs: number;
  /** Time from `running` to the boot script's first step, drawn per instance. */
  readonly bootMs: Range;
  /** How long the boot script tries to get its worker before it shuts the instance down, ms. */
  readonly bootTimeoutMs: number;
  /** Time from a worker's crash to its next start, ms, as systemd waits on a real instance. */
  readonly restartMs: number;
  /** How long DescribeInstances and TerminateInstances do not know a new instance, drawn per instance. */
  readonly describeLagMs: Range;
  /** Time from a change of an instance's state to its event, drawn per event. The events of an instance keep their order. */
  readonly eventDelayMs: Range;
  /** Time from the end of a call to its response, drawn per call. */
  readonly answerMs: Range;
  /** Time from the warning to the end of an interrupted spot instance, ms. It is two minutes on AWS. */
  readonly interruptionNoticeMs: number;
  /** Time from SIGTERM to SIGKILL for the processes of an instance that ends, ms. */
  readonly shutdownMs: number;
  /**
   * What offers can hold, by `type/zone/market`, where `*` matches any. An offer that is not listed has no limit. If a plan falls
   * below the number of spot instances, the newest ones are interrupted.
   */
  readonly capacity: Readonly<Record<string, CapacitySchedule>>;
  /** How often each action may be called, by its name. `*` stands for every action that is not listed; each has its own bucket. */
  readonly requests: Readonly<Record<string, RequestRate>>;
  /** Prices and delays are derived from it. */
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
