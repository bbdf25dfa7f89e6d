import type { Clock } from "../../../lib/worker/runtime/clock.ts";

/** Time that moves only when `pass` is called. Timers fire in order, and the work that they start can run in between. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; fire: () => void }[] = [];
  #wallStartMs: number;

  constructor(wallStartMs = 1_780_272_000_000) {
    this.#wallStartMs = wallStartMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  /** Sets the wall clock forwards or back by that many ms. */
  setWall(byMs: number): void {
    this.#wallStartMs += byMs;
  }

  after(ms: number, then: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), fire: then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    let fired = 0;
    await turns();
    for (let due = this.#nextDue(untilMs); due; due = this.#nextDue(untilMs)) {
      if (++fired > 100_000) throw new Error("timers without end");
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      this.#timers = this.#timers.filter((each) => each !== due);
      due.fire();
      await turns();
    }
    this.#nowMs = untilMs;
  }

  #nextDue(untilMs: number): { atMs: number; fire: () => void } | undefined {
    return this.#timers.filter((each) => each.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  }
}

/** Runs everything that is ready to run. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
