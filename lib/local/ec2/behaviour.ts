/** How this EC2 differs from an ideal one. */
export type Ec2Behaviour = {
  /** From the call to `running`, ms. */
  readonly pendingMs: number;
  /** From `running` to the boot script's first step, ms; drawn evenly for each instance. */
  readonly bootMs: { readonly min: number; readonly max: number };
  /** How long the boot script tries to get its worker before it shuts the instance down, ms. */
  readonly bootTimeoutMs: number;
  /** From a worker's crash to its next start, ms: what systemd waits on a real instance. */
  readonly restartMs: number;
  /** How long a new instance is unknown to DescribeInstances, ms. */
  readonly describeLagMs: number;
  /** From the warning to the end of a spot instance that is interrupted, ms; two minutes on AWS. */
  readonly interruptionNoticeMs: number;
  /** From SIGTERM to SIGKILL for what runs on an ended instance, ms. */
  readonly shutdownMs: number;
  /** How many instances an offer can hold at once, by `type/zone/market`, where `*` stands for any. Not listed: without limit. */
  readonly capacity: Readonly<Record<string, number>>;
  /** Prices and delays follow from it. */
  readonly seed: number;
};

export const defaultBehaviour: Ec2Behaviour = {
  pendingMs: 100,
  bootMs: { min: 300, max: 900 },
  bootTimeoutMs: 120_000,
  restartMs: 2000,
  describeLagMs: 0,
  interruptionNoticeMs: 120_000,
  shutdownMs: 3000,
  capacity: {},
  seed: 1,
};
