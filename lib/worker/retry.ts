import { Fault } from "../model/fault.ts";
import { backoffMs } from "./backoff.ts";
import { type Clock, sleep } from "./clock.ts";

export type Tries = { readonly clock: Clock; readonly random: () => number; readonly signal: AbortSignal; readonly most: number };

/** Does it again after a Fault that may pass, a bounded number of times; anything else is thrown at once. */
export async function tryAgain<T>(tries: Tries, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof Fault && error.retry;
      if (!passing || failures >= tries.most || tries.signal.aborted) throw error;
      await sleep(tries.clock, backoffMs(failures, tries.random()), tries.signal);
    }
  }
}
