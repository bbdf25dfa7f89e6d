import type { BinKind, Instance } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";
import type { Shape } from "../problem/shape.ts";
import { unit } from "../problem/units.ts";

/**
 * Returns all loads that a bin of this kind can hold, with `onlyFull` only those to which nothing can be added. Returns undefined if there
 * are more than `most`. Unlike the searches, it tries every arrangement of GPU shares.
 */
export function allLoads(instance: Instance, kind: BinKind, of: { most: number; onlyFull: boolean }): readonly Load[] | undefined {
  const loads = new Loads(instance, kind, of.onlyFull);
  return loads.list(of.most) ? loads.found : undefined;
}

class Loads {
  readonly found: Load[] = [];
  readonly #kind: BinKind;
  readonly #shapes: readonly Shape[];
  readonly #counts: number[];
  readonly #onlyFull: boolean;

  constructor({ shapes }: Instance, kind: BinKind, onlyFull: boolean) {
    this.#kind = kind;
    this.#shapes = Array.from(kind.holds, (index) => shapes[index] as Shape);
    this.#counts = this.#shapes.map(() => 0);
    this.#onlyFull = onlyFull;
  }

  /** Lists the loads that continue the current counts of the shapes before `at`. Returns false if there are more than `most`. */
  list(most: number, at = 0): boolean {
    const shape = this.#shapes[at];
    if (!shape) {
      if (this.#isWanted()) this.found.push(this.#load());
      return this.found.length <= most;
    }
    for (let count = 0; count <= shape.count; count += 1) {
      this.#counts[at] = count;
      if (count > 0 && !this.#isHeld()) break;
      if (!this.list(most, at + 1)) return false;
    }
    this.#counts[at] = 0;
    return true;
  }

  #isWanted(): boolean {
    if (this.#counts.every((count) => count === 0)) return false;
    return !this.#onlyFull || this.#shapes.every((_, at) => !this.#holdsMore(at));
  }

  #holdsMore(at: number): boolean {
    const before = this.#counts[at] as number;
    if (before >= (this.#shapes[at] as Shape).count) return false;
    this.#counts[at] = before + 1;
    const holds = this.#isHeld();
    this.#counts[at] = before;
    return holds;
  }

  #isHeld(): boolean {
    return isHeld(
      this.#kind,
      this.#shapes.map((shape, at) => ({ shape, count: this.#counts[at] as number })),
    );
  }

  #load(): Load {
    const held = this.#counts.flatMap((count, at) => (count > 0 ? [{ shape: this.#kind.holds[at] as number, count }] : []));
    return { shapes: held.map(({ shape }) => shape), counts: held.map(({ count }) => count) };
  }
}

type Held = { readonly shape: Shape; readonly count: number };

function isHeld({ room, slots }: BinKind, held: readonly Held[]): boolean {
  for (let dimension = 0; dimension < room.length; dimension += 1) {
    const used = held.reduce((sum, { shape, count }) => sum + count * (shape.size[dimension] as number), 0);
    if (used > (room[dimension] as number)) return false;
  }
  const whole = held.reduce((sum, { shape, count }) => sum + count * shape.whole, 0);
  const untouched = slots.filter((free) => free >= unit).length;
  if (whole > untouched) return false;
  const shares = held.flatMap(({ shape, count }) => (shape.share > 0 ? Array.from({ length: count }, () => shape.share) : []));
  // It makes no difference which of the untouched GPUs the jobs with whole GPUs get.
  const free = Array.from(slots).sort((a, b) => a - b);
  return arranged(
    shares.sort((a, b) => b - a),
    free.slice(0, free.length - whole),
  );
}

function arranged([first, ...others]: readonly number[], free: readonly number[]): boolean {
  if (first === undefined) return true;
  const tried = new Set<number>();
  return free.some((left, slot) => {
    if (left < first || tried.has(left)) return false;
    tried.add(left);
    return arranged(
      others,
      free.map((each, at) => (at === slot ? each - first : each)),
    );
  });
}
