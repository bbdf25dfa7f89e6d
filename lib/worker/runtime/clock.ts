/** Time as the worker's logic sees it. Leases are counted on the monotonic clock, which nobody can set back. */
export type Clock = {
  /** ms since some fixed moment */
  readonly monotonicMs: () => number;
  /** ms since the epoch */
  readonly wallMs: () => number;
  /** Calls `then` once after that many ms; the answer cancels it. */
  readonly after: (ms: number, then: () => void) => () => void;
};

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, then) {
    const timer = setTimeout(then, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** Resolves after that many ms, or at once when aborted. */
export const sleep = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted || ms <= 0) return resolve();
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", wake);
      resolve();
    });
    const wake = () => {
      cancel();
      resolve();
    };
    signal?.addEventListener("abort", wake, { once: true });
  });
