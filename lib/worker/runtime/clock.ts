/** Time as the worker's logic sees it. Leases must be counted on the monotonic clock, because that cannot be set back. */
export type Clock = {
  /** Returns ms since some fixed moment. */
  readonly monotonicMs: () => number;
  /** Returns ms since the epoch. */
  readonly wallMs: () => number;
  /** Calls `then` once after that many ms. Returns a function that cancels this. */
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

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Resolves after that many ms, or as soon as the signal is aborted. */
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
