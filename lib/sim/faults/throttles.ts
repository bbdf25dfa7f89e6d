import type { Faults } from "./faults.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** The account's limit of concurrent invocations, which other functions of the account use up for some minutes of a run. */
export class Throttles {
  readonly #clock: VirtualClock;
  readonly #faults: Faults;
  #untilMs = 0;
  #share = 0;

  constructor({ clock, faults }: { readonly clock: VirtualClock; readonly faults: Faults }, spanMs: number) {
    this.#clock = clock;
    this.#faults = faults;
    if (!faults.draws("lambda.throttled")) return;
    const chance = faults.chance("lambda.throttled");
    const [atMs, forMs] = [chance.between(0, spanMs), chance.between(30_000, 300_000)];
    this.#share = chance.between(50, 95) / 100;
    clock.after(atMs, () => {
      this.#untilMs = clock.nowMs + forMs;
    });
  }

  /** Reports whether Lambda refuses an invocation now, and counts it if so. */
  refuses(handler: string): boolean {
    if (this.#faults.isCalm || this.#clock.nowMs >= this.#untilMs) return false;
    if (!this.#faults.chance("lambda.throttled").happens(this.#share)) return false;
    this.#faults.count("lambda.throttled", handler);
    return true;
  }
}
