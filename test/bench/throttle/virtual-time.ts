type Timer = { readonly atMs: number; readonly number: number; readonly go: () => void };

/** Time that passes only when nothing else can happen. Timers for the same time fire in the order in which they were set. */
export class VirtualTime {
  nowMs: number;
  #set = 0;
  readonly #timers: Timer[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  readonly now = (): number => Math.floor(this.nowMs);

  readonly sleep = (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#timers.push({ atMs: this.nowMs + Math.max(0, ms), number: this.#set++, go: resolve });
    return promise;
  };

  /** Runs until no timer is left, or until `done` returns true. */
  async run(done: () => boolean): Promise<void> {
    for (;;) {
      // Everything that follows from the last timers must happen first.
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#timers.reduce<Timer | undefined>((first, timer) => (first && isBefore(first, timer) ? first : timer), undefined);
      if (next === undefined || done()) return;
      this.nowMs = next.atMs;
      for (const timer of this.#timers.filter(({ atMs }) => atMs === next.atMs).toSorted((a, b) => a.number - b.number)) {
        this.#timers.splice(this.#timers.indexOf(timer), 1);
        timer.go();
      }
    }
  }
}

const isBefore = (a: Timer, b: Timer): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);
