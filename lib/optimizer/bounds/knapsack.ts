import type { BinKind, Instance } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";
import type { Shape } from "../problem/shape.ts";
import { Slots } from "../problem/slots.ts";
import type { Relaxation } from "./relaxation.ts";

const tolerance = 1e-9;

export const empty: Load = { shapes: [], counts: [] };

export type KnapsackResult = {
  /** Undefined if the search found nothing that is worth more than the cutoff. */
  readonly load: Load | undefined;
  /** The value of the load, or the cutoff if there is no load. */
  readonly value: number;
  /** True if the load is proven to be the best one: the search was not cut off, and had no base. */
  readonly isWhole: boolean;
  readonly nodes: number;
};

export type Within = {
  /** The number of jobs left, by shape. */
  readonly left: Float64Array;
  /** A load must be worth more than this. */
  readonly cutoff: number;
  readonly maxNodes: number;
  /** The load that the bin must hold. The search adds to it. */
  readonly base: Load;
};

/**
 * Branch and bound over the loads of one bin. Items are tried by falling ratio of their worth to the room that they take, each first as
 * often as it fits. The first leaf is therefore the load that a greedy packer takes, and the limit on nodes cuts the search there or later.
 */
export class Knapsack {
  readonly #shapes: readonly Shape[];
  readonly #dimensions: number;
  readonly #slots: Slots;
  readonly #room: Float64Array;
  /** The current branch: positions in `order`, and the count of each. */
  readonly #positions: Int32Array;
  readonly #counts: Int32Array;
  #depth = 0;
  #value = 0;
  /** The rest of the bin, in the measure of the relaxation. */
  #rest = 0;
  /** The count in the base, by shape. */
  readonly #based: Float64Array;

  constructor({ shapes, kinds, dimensions }: Instance) {
    this.#shapes = shapes;
    this.#dimensions = dimensions;
    this.#room = new Float64Array(dimensions);
    this.#slots = new Slots(kinds.reduce((most, kind) => Math.max(most, kind.slots.length), 0));
    this.#positions = new Int32Array(shapes.length);
    this.#counts = new Int32Array(shapes.length);
    this.#based = new Float64Array(shapes.length);
  }

  /** Returns the best load that it finds, for the values that were last passed to the relaxation. */
  search(kind: BinKind, relaxation: Relaxation, within: Within): KnapsackResult {
    const { order, ratio, surplus } = relaxation;
    const base = this.#begin(kind, relaxation, within);
    let best = within.cutoff;
    let load: Load | undefined;
    let [position, nodes] = [0, 0];
    for (;;) {
      for (; position < order.length; position += 1) {
        const each = ratio[order[position] as number] as number;
        // An upper bound on the value of this branch.
        const hope = this.#value + (surplus[position] as number) + Math.min(1, each) * Math.max(0, this.#rest);
        if (each <= 0 || hope <= best + tolerance) break;
        nodes += 1;
        this.#push(position, relaxation, within.left);
      }
      if (this.#value > best + tolerance) {
        best = this.#value;
        load = this.#leaf(base, relaxation);
      }
      if (this.#depth === 0 || nodes > within.maxNodes) break;
      position = this.#pop(relaxation) + 1;
    }
    for (const shape of base.shapes) this.#based[shape] = 0;
    return { load, value: best, isWhole: this.#depth === 0 && base.shapes.length === 0, nodes };
  }

  #begin(kind: BinKind, relaxation: Relaxation, { base, left }: Within): Load {
    this.#room.set(kind.room);
    this.#slots.reset(kind);
    this.#depth = 0;
    this.#value = 0;
    this.#rest = relaxation.full;
    const [shapes, counts] = [[] as number[], [] as number[]];
    for (const [at, shape] of base.shapes.entries()) {
      const count = this.#give(shape, Math.min(left[shape] as number, base.counts[at] as number));
      if (count === 0) continue;
      shapes.push(shape);
      counts.push(count);
      this.#based[shape] = count;
      this.#count(relaxation.itemOf(shape), count, relaxation);
    }
    return { shapes, counts };
  }

  #push(position: number, relaxation: Relaxation, left: Float64Array): void {
    const item = relaxation.order[position] as number;
    const shape = relaxation.items[item] as number;
    const count = this.#give(shape, (left[shape] as number) - (this.#based[shape] as number));
    if (count === 0) return;
    this.#positions[this.#depth] = position;
    this.#counts[this.#depth] = count;
    this.#depth += 1;
    this.#count(item, count, relaxation);
  }

  /** Removes one of the last item, and returns the item's position. */
  #pop(relaxation: Relaxation): number {
    const last = this.#depth - 1;
    const position = this.#positions[last] as number;
    const item = relaxation.order[position] as number;
    this.#take(relaxation.items[item] as number);
    this.#count(item, -1, relaxation);
    const count = (this.#counts[last] as number) - 1;
    this.#counts[last] = count;
    if (count === 0) this.#depth = last;
    return position;
  }

  #count(item: number, count: number, { worth, takes }: Relaxation): void {
    this.#value += count * (worth[item] as number);
    this.#rest -= count * (takes[item] as number);
  }

  /** Puts as many of a shape on the bin as fit, up to `left`. Returns the count. */
  #give(index: number, left: number): number {
    if (left <= 0) return 0;
    const { size, whole, share } = this.#shapes[index] as Shape;
    const room = this.#room;
    let count = left;
    for (let dimension = 0; dimension < this.#dimensions; dimension += 1) {
      const each = size[dimension] as number;
      if (each * count > (room[dimension] as number)) count = Math.floor((room[dimension] as number) / each);
      if (count <= 0) return 0;
    }
    if (whole > 0) count = this.#slots.giveWhole(whole, count);
    else if (share > 0) count = this.#slots.giveShares(share, count);
    this.#use(size, count);
    return count;
  }

  /** Takes the room of `count` jobs of this size, or gives it back if `count` is negative. */
  #use(size: Float64Array, count: number): void {
    const room = this.#room;
    for (let dimension = 0; dimension < this.#dimensions; dimension += 1)
      room[dimension] = (room[dimension] as number) - count * (size[dimension] as number);
  }

  #take(index: number): void {
    const { size, whole, share } = this.#shapes[index] as Shape;
    this.#use(size, -1);
    if (whole > 0) this.#slots.untouched += whole;
    else if (share > 0) this.#slots.takeShare(share);
  }

  #leaf(base: Load, { items, order }: Relaxation): Load {
    const [shapes, counts] = [[...base.shapes], [...base.counts]];
    for (let at = 0; at < this.#depth; at += 1) {
      const shape = items[order[this.#positions[at] as number] as number] as number;
      const based = (this.#based[shape] as number) > 0 ? shapes.indexOf(shape) : -1;
      if (based >= 0) counts[based] = (counts[based] as number) + (this.#counts[at] as number);
      else {
        shapes.push(shape);
        counts.push(this.#counts[at] as number);
      }
    }
    return { shapes, counts };
  }
}
