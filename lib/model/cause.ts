/** Who rang a pool's bell, and about what: for the record only, decisions never look at it. */
export type Cause =
  | "job"
  | "worker"
  | "tick"
  | "later"
  | "cancel"
  /** A job came from another pool. */
  | "move"
  /** The alarm's name. */
  | `alarm ${string}`
  /** The instance's id. */
  | `interruption ${string}`
  | `rebalance ${string}`
  | `ended ${string}`
  /** The dataset's team and name. */
  | `dataset ${string}`;

/** What happens all the time, of which a decision that found nothing to do need not be on record. */
const ordinary: ReadonlySet<string> = new Set<Cause>(["job", "move", "worker", "tick", "later"]);
export const isOrdinary = (cause: string): boolean => ordinary.has(cause);

/** As many are kept between two decisions; those that come after are counted by the bell and not named. */
export const mostCauses = 50;
