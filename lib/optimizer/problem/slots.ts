import type { BinKind } from "./instance.ts";
import { unit } from "./units.ts";

/**
 * The GPUs of one bin while jobs are put on it. A share goes to the GPU where it leaves least, and whole GPUs must be untouched.
 * Shares must be taken back in the reverse order.
 */
export class Slots {
  readonly free: Float64Array;
  /** The number of GPUs with nothing on them. */
  untouched = 0;
  /** The GPU of each share, in the order in which they were given. */
  readonly #given: number[] = [];
  readonly #count: number;

  constructor(most: number) {
    this.free = new Float64Array(most);
    this.#count = most;
  }

  reset({ slots }: Pick<BinKind, "slots">): void {
    this.#given.length = 0;
    this.untouched = 0;
    for (let slot = 0; slot < this.#count; slot += 1) {
      const free = slot < slots.length ? (slots[slot] as number) : 0;
      this.free[slot] = free;
      if (free === unit) this.untouched += 1;
    }
  }

  /** Gives `whole` GPUs to each of up to `most` jobs. Returns the number of jobs that found them. */
  giveWhole(whole: number, most: number): number {
    const count = Math.min(most, Math.floor(this.untouched / whole));
    this.untouched -= count * whole;
    return count;
  }

  /** Places up to `most` such shares. Returns the number that found a place. */
  giveShares(share: number, most: number): number {
    let count = 0;
    while (count < most && this.#giveShare(share)) count += 1;
    return count;
  }

  #giveShare(share: number): boolean {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#count; slot += 1) {
      const free = this.free[slot] as number;
      // If `untouched` is 0, whole jobs have these GPUs: they are counted, but have no slots of their own.
      if (free < share || free >= least || (free === unit && this.untouched === 0)) continue;
      least = free;
      best = slot;
    }
    if (best < 0) return false;
    if (least === unit) this.untouched -= 1;
    this.free[best] = least - share;
    this.#given.push(best);
    return true;
  }

  takeShare(share: number): void {
    const slot = this.#given.pop() as number;
    const free = (this.free[slot] as number) + share;
    this.free[slot] = free;
    if (free === unit) this.untouched += 1;
  }
}
