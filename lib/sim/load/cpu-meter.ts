/** The processor time that decisions took. `longestMs`: the longest time without a call to a port, which is one plan in the making. */
export type DecisionCpu = { readonly totalMs: number; readonly longestMs: number };

export const noCpu: DecisionCpu = { totalMs: 0, longestMs: 0 };

export const plusCpu = (a: DecisionCpu, b: DecisionCpu): DecisionCpu => ({
  totalMs: a.totalMs + b.totalMs,
  longestMs: Math.max(a.longestMs, b.longestMs),
});

/**
 * Measures the processor time of `place` between its calls to ports, so that the time of the ports in memory is not part of it. The time
 * depends on the machine.
 */
export class CpuMeter {
  readonly #nowMs: () => number;
  #sum: DecisionCpu = noCpu;

  /** `nowMs`: the processor time that this thread has used so far. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Begins to measure. Returns a function that ends it. */
  begin(): () => void {
    const startedMs = this.#nowMs();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const ms = this.#nowMs() - startedMs;
      this.#sum = plusCpu(this.#sum, { totalMs: ms, longestMs: ms });
    };
  }

  /** Returns what was measured since the last call. */
  take(): DecisionCpu {
    const sum = this.#sum;
    this.#sum = noCpu;
    return sum;
  }
}
