import type { Load } from "../problem/load.ts";

const tolerance = 1e-9;
/** A pivot on a smaller element would make the inverse inexact. */
const minPivot = 1e-7;

/** A way to fill a bin of one kind, with the cost of such a bin. */
export type BinPattern = Load & { readonly kind: number; readonly cost: number };

/**
 * The linear program over patterns: how often to use each pattern, so that every shape is covered at the least cost. It uses the revised
 * simplex method with an explicit inverse of the basis, which is fast enough for a few hundred rows. The rows are the shapes, followed by
 * the kinds with a limited number of bins.
 */
export class Master {
  readonly rows: number;
  readonly prices: Float64Array;
  readonly patterns: BinPattern[] = [];
  /** By row: the basic pattern, or -1 - r if the surplus of row r is basic. */
  readonly basis: Int32Array;
  readonly amounts: Float64Array;
  readonly #inverse: Float64Array;
  readonly #column: Float64Array;
  readonly #limitRow: ReadonlyMap<number, number>;
  readonly #isBasic: boolean[] = [];

  /** `first` has, for each shape, a pattern of that shape alone. `scarce` has the limited kinds with their numbers of bins. */
  constructor(first: readonly BinPattern[], counts: readonly number[], scarce: ReadonlyMap<number, number>) {
    const shapes = counts.length;
    this.rows = shapes + scarce.size;
    this.#limitRow = new Map([...scarce.keys()].map((kind, index) => [kind, shapes + index]));
    this.prices = new Float64Array(this.rows);
    this.basis = new Int32Array(this.rows);
    this.amounts = new Float64Array(this.rows);
    this.#inverse = new Float64Array(this.rows * this.rows);
    this.#column = new Float64Array(this.rows);
    for (const [row, pattern] of first.entries()) {
      const each = pattern.counts[0] as number;
      this.add(pattern);
      this.#isBasic[row] = true;
      this.basis[row] = row;
      // A small surplus, different for each row, prevents ties.
      this.amounts[row] = ((counts[row] as number) + perturbation(row)) / each;
      this.#inverse[row * this.rows + row] = 1 / each;
      this.prices[row] = pattern.cost / each;
    }
    for (const [index, most] of [...scarce.values()].entries()) {
      const row = shapes + index;
      this.basis[row] = -1 - row;
      this.amounts[row] = most + perturbation(row);
      this.#inverse[row * this.rows + row] = -1;
    }
  }

  add(pattern: BinPattern): void {
    this.patterns.push(pattern);
    this.#isBasic.push(false);
  }

  /** Returns the cost that one more bin of a scarce kind would save. */
  rentOf(kind: number): number {
    const row = this.#limitRow.get(kind);
    return row === undefined ? 0 : (this.prices[row] as number);
  }

  get cost(): number {
    let sum = 0;
    for (let row = 0; row < this.rows; row += 1) {
      const basic = this.basis[row] as number;
      if (basic >= 0) sum += (this.amounts[row] as number) * (this.patterns[basic] as BinPattern).cost;
    }
    return sum;
  }

  /** Pivots until no pattern from index `from` on would lower the cost, at most `most` times. Returns the number of pivots. */
  solve(from: number, most: number): number {
    let pivots = 0;
    while (pivots < most) {
      const entering = this.#entering(from);
      if (entering === undefined || !this.#pivot(entering.basic, entering.reduced)) break;
      pivots += 1;
    }
    return pivots;
  }

  #entering(from: number): { basic: number; reduced: number } | undefined {
    let least = -tolerance;
    let basic: number | undefined;
    for (let row = 0; row < this.rows; row += 1) {
      // A surplus whose price has the wrong sign.
      const price = this.prices[row] as number;
      if (price < least) [least, basic] = [price, -1 - row];
    }
    for (let index = from; index < this.patterns.length; index += 1) {
      if (this.#isBasic[index]) continue;
      const reduced = this.reduced(this.patterns[index] as BinPattern);
      if (reduced < least) [least, basic] = [reduced, index];
    }
    return basic === undefined ? undefined : { basic, reduced: least };
  }

  /** Returns the reduced cost of a pattern: what one use of it would add to the cost of the program. */
  reduced({ shapes, counts, kind, cost }: BinPattern): number {
    let reduced = cost;
    for (let at = 0; at < shapes.length; at += 1) reduced -= (this.prices[shapes[at] as number] as number) * (counts[at] as number);
    const row = this.#limitRow.get(kind);
    return row === undefined ? reduced : reduced + (this.prices[row] as number);
  }

  #columnOf(basic: number): void {
    this.#column.fill(0);
    if (basic < 0) {
      this.#addTo(-1 - basic, -1);
      return;
    }
    const { shapes, counts, kind } = this.patterns[basic] as BinPattern;
    for (let at = 0; at < shapes.length; at += 1) this.#addTo(shapes[at] as number, counts[at] as number);
    const limit = this.#limitRow.get(kind);
    if (limit !== undefined) this.#addTo(limit, -1);
  }

  #addTo(of: number, by: number): void {
    const { rows } = this;
    const column = this.#column;
    for (let row = 0; row < rows; row += 1) column[row] = (column[row] as number) + by * (this.#inverse[row * rows + of] as number);
  }

  #pivot(entering: number, reduced: number): boolean {
    this.#columnOf(entering);
    const leaving = this.#leaving();
    if (leaving < 0) return false;
    const { rows, prices } = this;
    const by = (this.amounts[leaving] as number) / (this.#column[leaving] as number);
    this.#update(leaving, by);
    const start = leaving * rows;
    for (let of = 0; of < rows; of += 1) prices[of] = (prices[of] as number) + reduced * (this.#inverse[start + of] as number);
    const left = this.basis[leaving] as number;
    if (left >= 0) this.#isBasic[left] = false;
    if (entering >= 0) this.#isBasic[entering] = true;
    this.basis[leaving] = entering;
    return true;
  }

  /** Returns the row whose amount is used up first, or -1 if there is none. */
  #leaving(): number {
    let leaving = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.rows; row += 1) {
      const by = this.#column[row] as number;
      if (by <= minPivot) continue;
      const ratio = (this.amounts[row] as number) / by;
      if (ratio < least) [least, leaving] = [ratio, row];
    }
    return leaving;
  }

  #update(leaving: number, amount: number): void {
    const { rows, amounts } = this;
    const [column, inverse] = [this.#column, this.#inverse];
    const start = leaving * rows;
    const scale = 1 / (column[leaving] as number);
    for (let of = start; of < start + rows; of += 1) inverse[of] = (inverse[of] as number) * scale;
    for (let row = 0; row < rows; row += 1) {
      const by = column[row] as number;
      if (row === leaving || Math.abs(by) < 1e-12) continue;
      const at = row * rows;
      for (let of = 0; of < rows; of += 1) inverse[at + of] = (inverse[at + of] as number) - by * (inverse[start + of] as number);
      amounts[row] = Math.max(0, (amounts[row] as number) - by * amount);
    }
    amounts[leaving] = amount;
  }
}

const perturbation = (row: number): number => 1e-6 * (1 + ((row * 7919) % 1009) / 1009);
