import type { Kind } from "./instance.ts";
import { unit } from "./units.ts";

/**
 * The GPUs of one bin while jobs are put on it: a share goes where it leaves least, whole GPUs go to free ones.
 * What was given last is taken back first.
 */
export class Slots {
  readonly free: Float64Array;
  /** GPUs with nothing on them. */
  untouched = 0;
  /** Where each share that was given lies, in turn. */
  readonly #given: number[] = [];
  readonly #count: number;

  constructor(most: number) {
    this.free = new Float64Array(most);
    this.#count = most;
  }

  reset({ slots }: Pick<Kind, "slots">): void {
    this.#given.length = 0;
    this.untouched = 0;
    for (let slot = 0; slot < this.#count; slot += 1) {
      const free = slot < slots.length ? (slots[slot] as number) : 0;
      this.free[slot] = free;
      if (free === unit) this.untouched += 1;
    }
  }

  /** How many of these, up to `most`, found the whole GPUs that each of them needs. */
  giveWhole(whole: number, most: number): number {
    const count = Math.min(most, Math.floor(this.untouched / whole));
    this.untouched -= count * whole;
    return count;
  }

  /** How many of these shares, up to `most`, found a place. */
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
      // The last of the untouched are for whole GPUs, and counted only.
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
