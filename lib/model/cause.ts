/** Why a pool's bell rang. Causes are only recorded; decisions must not depend on them. */
export type Cause =
  | "job"
  | "worker"
  | "tick"
  | "later"
  | "cancel"
  /** A job moved here from another pool. */
  | "move"
  /** An admin ordered something about the pool or one of its nodes. */
  | "override"
  /** The alarm's name. */
  | `alarm ${string}`
  /** The instance's id. */
  | `interruption ${string}`
  | `rebalance ${string}`
  | `ended ${string}`
  /** The end of an attempt was taken in from what its node had left on S3. */
  | `outbox ${string}`
  /** The dataset's team and name. */
  | `dataset ${string}`;

/** Causes that occur all the time. A decision that did nothing is not recorded if all its causes are ordinary. */
const ordinary: ReadonlySet<string> = new Set<Cause>(["job", "move", "worker", "tick", "later"]);
export const isOrdinary = (cause: string): boolean => ordinary.has(cause);

/** The most causes that are kept between two decisions. The bell counts later rings, but their causes are lost. */
export const maxCauses = 50;
