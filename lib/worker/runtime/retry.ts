import { FleetError } from "../../model/fleet-error.ts";
import { backoffMs } from "./backoff.ts";
import { type Clock, sleep } from "./clock.ts";

export type Tries = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** The greatest number of tries. It may depend on why the last try failed. */
  readonly most: number | ((why: FleetError) => number);
};

/** Runs `work` again after a FleetError with `retry`, a bounded number of times. Any other error is thrown at once. */
export async function tryAgain<T>(tries: Tries, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FleetError && error.retry) || tries.signal.aborted) throw error;
      if (failures >= (typeof tries.most === "number" ? tries.most : tries.most(error))) throw error;
      await sleep(tries.clock, backoffMs(failures, tries.random()), tries.signal);
    }
  }
}
