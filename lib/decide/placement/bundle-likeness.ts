import type { QueueEntry } from "../../model/job.ts";
import type { Bundle } from "./bundles.ts";
import { kindOf } from "./rooms.ts";

/**
 * Distinguishes bundles by how they would take another job, so that a job tries each kind of bundle only once. Bundles are alike if they
 * hold jobs of the same kinds, added in the same order, and cost and reserve the same.
 */
export class Likeness {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<Bundle, number>();

  /** Returns the same number for bundles that are alike; 0 for one without jobs. */
  of(bundle: Bundle): number {
    return this.#known.get(bundle) ?? 0;
  }

  /** Records that `bundle` is `before` with one more job. */
  note(bundle: Bundle, { before, entry }: { readonly before: Bundle; readonly entry: QueueEntry }): void {
    const { usdPerHour, reserved } = bundle;
    const key = JSON.stringify([this.of(before), kindOf(entry), usdPerHour, reserved.usdPerHour, reserved.gpus]);
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, number);
    this.#known.set(bundle, number);
  }
}
