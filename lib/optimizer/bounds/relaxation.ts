import type { Instance, Kind } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";
import type { Shape } from "../problem/shape.ts";
import { dualFeasible } from "./dual-feasible.ts";

const tolerance = 1e-9;
const leastValue = 1e-8;
const mostPivots = 200;
/** Items that are sorted by insertion. */
const mostInserted = 400;

/**
 * What a bin of one kind can hold at most in value, with jobs cut at will but for what the dual-feasible functions see: a linear
 * program of few rows. It keeps its basis, from which the next values are a few pivots away. `weights` are its duals: what each
 * shape takes up of the bin, as the values have it.
 */
export class Relaxation {
  readonly items: Int32Array;
  /** By item: its value over what it takes up, and what it takes up; as of the last call. */
  readonly ratio: Float64Array;
  readonly takes: Float64Array;
  /** By item, what it is worth. */
  readonly worth: Float64Array;
  /** Items by falling ratio. */
  readonly order: Int32Array;
  /** What the bin has, in the measure of `takes`. */
  full = 0;

  readonly #rows: number;
  /** By item and row. */
  readonly #uses: Float64Array;
  /** By row: which item is basic there, or -1 - the row whose slack is. */
  readonly #basis: Int32Array;
  readonly #inverse: Float64Array;
  readonly #x: Float64Array;
  readonly #weights: Float64Array;
  readonly #column: Float64Array;
  /** By item: how many there are, and whether the solution has all of them without being basic. */
  readonly #most: Float64Array;
  readonly #isFull: Uint8Array;
  /** By position in `order`: what the items from there on are worth at most above what they take up. */
  readonly surplus: Float64Array;
  readonly #itemOf: Int32Array;

  constructor(instance: Instance, kind: Kind) {
    this.items = kind.holds;
    const uses = dualFeasible(instance, kind);
    this.#rows = uses.rows;
    this.#uses = uses.uses;
    const { length } = this.items;
    this.worth = new Float64Array(length);
    this.ratio = new Float64Array(length);
    this.takes = new Float64Array(length);
    this.order = Int32Array.from({ length }, (_, item) => item);
    this.#basis = Int32Array.from({ length: this.#rows }, (_, row) => -1 - row);
    this.#inverse = new Float64Array(this.#rows * this.#rows);
    for (let row = 0; row < this.#rows; row += 1) this.#inverse[row * this.#rows + row] = 1;
    // A little more than all, differently for each: or many rows would tie.
    this.#x = Float64Array.from({ length: this.#rows }, (_, row) => 1 + 1e-5 * (1 + ((row * 7919) % 1009) / 1009));
    this.#weights = new Float64Array(this.#rows);
    this.#column = new Float64Array(this.#rows);
    this.#most = Float64Array.from(this.items, (shape) => (instance.shapes[shape] as Shape).count);
    this.#isFull = new Uint8Array(length);
    this.#itemOf = new Int32Array(instance.shapes.length).fill(-1);
    for (const [item, shape] of this.items.entries()) this.#itemOf[shape] = item;
    this.surplus = new Float64Array(length + 1);
  }

  /** The most that a bin can hold, when an item is worth `values` less `extra`, by shape. */
  bound(values: Float64Array, extra: Float64Array | undefined): number {
    const { length } = this.items;
    for (let item = 0; item < length; item += 1) {
      const shape = this.items[item] as number;
      const value = values[shape] as number;
      // What only pays for its own data is packed all the same.
      this.worth[item] = extra ? Math.max(value - (extra[shape] as number), leastValue) : value;
    }
    this.#price();
    for (let pivot = 0; pivot < mostPivots; pivot += 1) {
      const entering = this.#entering();
      if (entering === undefined || !this.#pivot(entering)) break;
    }
    return this.#measure();
  }

  itemOf(shape: number): number {
    return this.#itemOf[shape] as number;
  }

  /** The whole part of what the last bound's solution has. */
  rounded(): Load {
    return this.#solution((amount) => Math.floor(amount + 1e-3));
  }

  /** What the last bound's solution has. */
  fractional(): Load {
    return this.#solution((amount) => (amount > 1e-9 ? amount : 0));
  }

  #solution(part: (amount: number) => number): Load {
    const [shapes, counts] = [[] as number[], [] as number[]];
    const put = (item: number, amount: number): void => {
      const count = part(amount);
      if (count <= 0) return;
      shapes.push(this.items[item] as number);
      counts.push(count);
    };
    for (let row = 0; row < this.#rows; row += 1) {
      const basic = this.#basis[row] as number;
      if (basic >= 0) put(basic, this.#x[row] as number);
    }
    for (let item = 0; item < this.items.length; item += 1) if (this.#isFull[item] === 1) put(item, this.#most[item] as number);
    return { shapes, counts };
  }

  #price(): void {
    const rows = this.#rows;
    this.#weights.fill(0);
    for (let row = 0; row < rows; row += 1) {
      const basic = this.#basis[row] as number;
      const value = basic < 0 ? 0 : (this.worth[basic] as number);
      if (value === 0) continue;
      for (let of = 0; of < rows; of += 1)
        this.#weights[of] = (this.#weights[of] as number) + value * (this.#inverse[row * rows + of] as number);
    }
  }

  /** The item, or slack, that is most out of place: worth more than it takes up and not in, or less and all in. */
  #entering(): number | undefined {
    const rows = this.#rows;
    let best = tolerance;
    let entering: number | undefined;
    for (let row = 0; row < rows; row += 1) {
      const gain = -(this.#weights[row] as number);
      if (gain > best) [best, entering] = [gain, -1 - row];
    }
    for (let item = 0; item < this.items.length; item += 1) {
      const isFull = this.#isFull[item] === 1;
      let gain = this.worth[item] as number;
      if (!isFull && gain <= best) continue;
      const at = item * rows;
      for (let row = 0; row < rows; row += 1) gain -= (this.#weights[row] as number) * (this.#uses[at + row] as number);
      if (isFull) gain = -gain;
      if (gain > best) [best, entering] = [gain, item];
    }
    return entering;
  }

  #pivot(entering: number): boolean {
    const isDown = entering >= 0 && this.#isFull[entering] === 1;
    this.#columnOf(entering, isDown);
    const { leaving, by } = this.#leaving(entering);
    if (by === Number.POSITIVE_INFINITY) return false;
    const x = this.#x;
    for (let row = 0; row < this.#rows; row += 1) x[row] = Math.max(0, (x[row] as number) - (this.#column[row] as number) * by);
    if (leaving < 0) {
      this.#isFull[entering] = isDown ? 0 : 1;
      return true;
    }
    const left = this.#basis[leaving] as number;
    if (left >= 0) this.#isFull[left] = (this.#column[leaving] as number) < 0 ? 1 : 0;
    x[leaving] = isDown ? (this.#most[entering] as number) - by : by;
    if (entering >= 0) this.#isFull[entering] = 0;
    this.#basis[leaving] = entering;
    this.#update(leaving, isDown ? -1 : 1);
    this.#price();
    return true;
  }

  /** What the basic ones give up for one more of what enters, or for one less. */
  #columnOf(entering: number, isDown: boolean): void {
    const rows = this.#rows;
    for (let row = 0; row < rows; row += 1) {
      let sum = 0;
      if (entering < 0) sum = this.#inverse[row * rows - 1 - entering] as number;
      else
        for (let of = 0; of < rows; of += 1)
          sum += (this.#inverse[row * rows + of] as number) * (this.#uses[entering * rows + of] as number);
      this.#column[row] = isDown ? -sum : sum;
    }
  }

  /** The row that is first at an end, and after how much; -1: what enters is at its own other end first. */
  #leaving(entering: number): { leaving: number; by: number } {
    let leaving = -1;
    let by = entering < 0 ? Number.POSITIVE_INFINITY : (this.#most[entering] as number);
    for (let row = 0; row < this.#rows; row += 1) {
      const each = this.#column[row] as number;
      const basic = this.#basis[row] as number;
      let end = Number.POSITIVE_INFINITY;
      if (each > tolerance) end = (this.#x[row] as number) / each;
      else if (each < -tolerance && basic >= 0) end = ((this.#most[basic] as number) - (this.#x[row] as number)) / -each;
      if (end < by) [by, leaving] = [Math.max(0, end), row];
    }
    return { leaving, by };
  }

  #update(leaving: number, sign: number): void {
    const rows = this.#rows;
    const inverse = this.#inverse;
    const start = leaving * rows;
    const scale = sign / (this.#column[leaving] as number);
    for (let of = start; of < start + rows; of += 1) inverse[of] = (inverse[of] as number) * scale;
    for (let row = 0; row < rows; row += 1) {
      const by = (this.#column[row] as number) * sign;
      if (row === leaving || by === 0) continue;
      const at = row * rows;
      for (let of = 0; of < rows; of += 1) inverse[at + of] = (inverse[at + of] as number) - by * (inverse[start + of] as number);
    }
  }

  /** Whatever the weights are: what fits takes up no more than the bin has, and beyond that there is only what items are worth above it. */
  #measure(): number {
    const rows = this.#rows;
    this.full = 0;
    for (let row = 0; row < rows; row += 1) {
      if ((this.#weights[row] as number) < 0) this.#weights[row] = 0;
      this.full += this.#weights[row] as number;
    }
    for (let item = 0; item < this.items.length; item += 1) {
      let takes = 0;
      for (let row = 0; row < rows; row += 1) takes += (this.#weights[row] as number) * (this.#uses[item * rows + row] as number);
      const worth = this.worth[item] as number;
      this.takes[item] = takes;
      // What takes up next to nothing comes first; a ratio is a number all the same.
      this.ratio[item] = worth <= 0 ? 0 : worth / Math.max(takes, worth * 1e-3);
    }
    this.#sort();
    let above = 0;
    for (let position = this.order.length - 1; position >= 0; position -= 1) {
      const item = this.order[position] as number;
      above += (this.#most[item] as number) * Math.max(0, (this.worth[item] as number) - (this.takes[item] as number));
      this.surplus[position] = above;
    }
    return this.full + above;
  }

  /** From one call to the next the order changes little. */
  #sort(): void {
    const { order, ratio } = this;
    if (order.length > mostInserted) {
      order.sort((a, b) => (ratio[b] as number) - (ratio[a] as number) || a - b);
      return;
    }
    for (let at = 1; at < order.length; at += 1) {
      const item = order[at] as number;
      const of = ratio[item] as number;
      let to = at - 1;
      while (to >= 0) {
        const other = order[to] as number;
        const its = ratio[other] as number;
        if (its > of || (its === of && other < item)) break;
        order[to + 1] = other;
        to -= 1;
      }
      order[to + 1] = item;
    }
  }
}
