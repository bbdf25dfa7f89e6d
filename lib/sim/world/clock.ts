/** A scheduled event. */
type Due = { readonly atMs: number; readonly order: number; run: (() => void) | undefined };

/** Virtual time. Events happen in order of time, and those that are due at the same time in the order in which they were scheduled. */
export class SimClock {
  #nowMs: number;
  #order = 0;
  readonly #heap: Due[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Schedules an event for a time, or for now if the time is past. Returns a function that cancels it. */
  at(atMs: number, run: () => void): () => void {
    const due: Due = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run };
    this.#push(due);
    return () => {
      due.run = undefined;
    };
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.#nowMs + ms, run);
  }

  /** The time of the next event; undefined if there is none. */
  get nextMs(): number | undefined {
    while (this.#heap[0] && this.#heap[0].run === undefined) this.#pop();
    return this.#heap[0]?.atMs;
  }

  /** Advances to the next event and runs it. */
  step(): void {
    if (this.nextMs === undefined) return;
    const due = this.#pop();
    if (!due) return;
    this.#nowMs = due.atMs;
    due.run?.();
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, due)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      if (!one) break;
      const child = other && isBefore(other, one) ? left + 1 : left;
      const below = heap[child];
      if (!below || isBefore(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

const isBefore = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/**
 * Returns a promise that never settles, for calls of a dead process. It must be a new one per call, because a shared promise would keep
 * everything that waits for it in memory, and with it the world of every run.
 */
export const forever = (): Promise<never> => new Promise(() => {});
