import type { BinKind, Instance } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";
import type { Shape } from "../problem/shape.ts";
import { dualFeasible } from "./dual-feasible.ts";

const tolerance = 1e-9;
const minValue = 1e-8;
const maxPivots = 200;
/** Up to this many items are sorted by insertion. */
const maxInserted = 400;

/**
 * An upper bound on the value that a bin of one kind can hold: a linear program of few rows, which may split jobs except where the
 * dual-feasible functions forbid it. It keeps its basis between calls, because the optimum for the next values is usually only a few pivots
 * away. Its duals, `weights`, give each row a price. They determine how much of the bin an item takes at the current values.
 */
export class Relaxation {
  readonly items: Int32Array;
  /** By item, as of the last call: its worth divided by what it takes of the bin, and what it takes. */
  readonly ratio: Float64Array;
  readonly takes: Float64Array;
  /** By item: its worth as of the last call. */
  readonly worth: Float64Array;
  /** Items by falling ratio. */
  readonly order: Int32Array;
  /** The room of the whole bin, in the measure of `takes`. */
  full = 0;

  readonly #rows: number;
  /** By item and row. */
  readonly #uses: Float64Array;
  /** By row: the basic item, or -1 - r if the slack of row r is basic. */
  readonly #basis: Int32Array;
  readonly #inverse: Float64Array;
  readonly #x: Float64Array;
  readonly #weights: Float64Array;
  readonly #column: Float64Array;
  /** By item: how many there are, and whether it is nonbasic at that upper limit. */
  readonly #most: Float64Array;
  readonly #isFull: Uint8Array;
  /** By position in `order`: how much the items from there on are worth at most above what they take. */
  readonly surplus: Float64Array;
  readonly #itemOf: Int32Array;

  constructor(instance: Instance, kind: BinKind) {
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
    // A small surplus, different for each row, prevents ties.
    this.#x = Float64Array.from({ length: this.#rows }, (_, row) => 1 + 1e-5 * (1 + ((row * 7919) % 1009) / 1009));
    this.#weights = new Float64Array(this.#rows);
    this.#column = new Float64Array(this.#rows);
    this.#most = Float64Array.from(this.items, (shape) => (instance.shapes[shape] as Shape).count);
    this.#isFull = new Uint8Array(length);
    this.#itemOf = new Int32Array(instance.shapes.length).fill(-1);
    for (const [item, shape] of this.items.entries()) this.#itemOf[shape] = item;
    this.surplus = new Float64Array(length + 1);
  }

  /** Returns the most that a bin can hold in value if an item is worth `values` less `extra`, both by shape. */
  bound(values: Float64Array, extra: Float64Array | undefined): number {
    const { length } = this.items;
    for (let item = 0; item < length; item += 1) {
      const shape = this.items[item] as number;
      const value = values[shape] as number;
      // A job that only pays for its own data must be packed too.
      this.worth[item] = extra ? Math.max(value - (extra[shape] as number), minValue) : value;
    }
    this.#price();
    for (let pivot = 0; pivot < maxPivots; pivot += 1) {
      const entering = this.#entering();
      if (entering === undefined || !this.#pivot(entering)) break;
    }
    return this.#measure();
  }

  itemOf(shape: number): number {
    return this.#itemOf[shape] as number;
  }

  /** Returns the solution of the last bound, rounded down. */
  rounded(): Load {
    return this.#solution((amount) => Math.floor(amount + 1e-3));
  }

  /** Returns the solution of the last bound. */
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

  /** Returns the item or slack that gains most by a move: worth more than it takes and not in the solution, or worth less and all in it. */
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

  /** Computes how much each basic variable gives up for one more of the entering variable, or for one less if `isDown`. */
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

  /** Returns the row that first reaches a limit, and the step to it. The row is -1 if the entering variable reaches its own limit first. */
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

  /**
   * Returns the bound. It is valid for any weights: items that fit take no more than the bin has, so they are worth at most `full` and
   * what each of them is worth above what it takes.
   */
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
      // Items that take almost nothing sort first, and the ratio must stay finite.
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

  /** Sorts by insertion if there are few items, because the order changes little from one call to the next. */
  #sort(): void {
    const { order, ratio } = this;
    if (order.length > maxInserted) {
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
