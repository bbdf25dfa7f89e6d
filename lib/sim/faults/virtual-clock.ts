/** What faults need of the clock of a run, ms. */
export type VirtualClock = {
  readonly nowMs: number;
  /** Runs something after some time. Returns a function that cancels it. */
  readonly after: (ms: number, run: () => void) => () => void;
};
