import type { QueueEntry } from "../../model/job.ts";
import type { Bundle } from "./bundles.ts";
import { kindOf } from "./rooms.ts";

/** Tells bundles apart by what they answer to another job, so that a job asks each sort of bundle once and not hundreds that are alike. */
export type Likeness = {
  /** The same number for bundles that are alike; 0 for one without jobs. */
  of(bundle: Bundle): number;
  /** `bundle` is what `before` has become with the job. */
  note(bundle: Bundle, grown: { readonly before: Bundle; readonly entry: QueueEntry }): void;
};

/** Alike are bundles of jobs of the same kinds, added in the same order, that cost and reserve the same. */
export function likeness(): Likeness {
  const numbers = new Map<string, number>();
  const known = new WeakMap<Bundle, number>();
  const of = (bundle: Bundle): number => known.get(bundle) ?? 0;
  return {
    of,
    note(bundle, { before, entry }) {
      const { usdPerHour, reserved } = bundle;
      const key = JSON.stringify([of(before), kindOf(entry), usdPerHour, reserved.usdPerHour, reserved.gpus]);
      const number = numbers.get(key) ?? numbers.size + 1;
      numbers.set(key, number);
      known.set(bundle, number);
    },
  };
}
