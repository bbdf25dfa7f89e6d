import type { Measuring } from "../../model/objectives/objective.ts";
import type { Written } from "../../ports/pool-ledger.ts";
import type { Ports } from "../../ports/ports.ts";
import type { RateLimiter } from "./rate-limiter.ts";

export type LaunchDeps = Pick<Ports, "capacity" | "decisions" | "fleet" | "placements"> &
  Measuring & {
    readonly rateLimiter: RateLimiter;
    readonly now: () => number;
  };

/**
 * The outcome of one launch, for the record. `open`: it is not known yet; the intent stays, to be repeated or searched for.
 * `throttled`: the same, but it is known that nothing was launched. `retired`: the launch produced nothing. `error`: what a call
 * threw, for the log.
 */
export type Launched = {
  readonly kind: Exclude<Written, "done"> | "launched" | "refused" | "retired" | "throttled" | "open";
  readonly note: string;
  readonly error?: unknown;
};
