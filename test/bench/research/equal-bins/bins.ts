/** Items to pack into as few equal bins as possible. Each is a row of sizes, as shares of a bin, with one column per dimension. */
export type Items = { readonly count: number; readonly dimensions: number; readonly sizes: Float64Array };

/** The tolerance for sums of divided sizes. A bin is full at 1. */
const slack = 1e-9;

export function itemsOf(rows: readonly (readonly number[])[], capacity: readonly number[]): Items {
  const sizes = new Float64Array(rows.length * capacity.length);
  rows.forEach((row, item) => {
    capacity.forEach((most, dimension) => {
      const size = row[dimension] ?? 0;
      sizes[item * capacity.length + dimension] = size === 0 ? 0 : size / most;
    });
  });
  return { count: rows.length, dimensions: capacity.length, sizes };
}

/** Returns a lower bound on the number of bins: the number that the fullest dimension needs. */
export function minBins({ count, dimensions, sizes }: Items): number {
  let most = 0;
  for (let dimension = 0; dimension < dimensions; dimension += 1) {
    let sum = 0;
    for (let item = 0; item < count; item += 1) sum += sizes[item * dimensions + dimension] as number;
    most = Math.max(most, sum);
  }
  return Math.max(count > 0 ? 1 : 0, Math.ceil(most - 1e-6));
}

/** The open bins, with their items and the sums of the items' sizes. */
export class Bins {
  readonly items: Items;
  readonly contents: number[][] = [];
  readonly #used: Float64Array[] = [];

  constructor(items: Items, contents: readonly (readonly number[])[] = []) {
    this.items = items;
    for (const each of contents) {
      const bin = this.open();
      for (const item of each) this.put(item, bin);
    }
  }

  /** Opens an empty bin. Returns its number. */
  open(): number {
    this.#used.push(new Float64Array(this.items.dimensions));
    return this.contents.push([]) - 1;
  }

  /** Reports whether the bin holds one more item without `first` and `second`, which are items of the bin, or -1 for none. */
  holds(item: number, bin: number, { first, second }: Without = nothing): boolean {
    const { dimensions, sizes } = this.items;
    const used = this.#used[bin] as Float64Array;
    for (let dimension = 0; dimension < dimensions; dimension += 1) {
      let sum = (used[dimension] as number) + (sizes[item * dimensions + dimension] as number);
      if (first >= 0) sum -= sizes[first * dimensions + dimension] as number;
      if (second >= 0) sum -= sizes[second * dimensions + dimension] as number;
      if (sum > 1 + slack) return false;
    }
    return true;
  }

  put(item: number, bin: number): void {
    this.contents[bin]?.push(item);
    this.#add(item, bin, 1);
  }

  takeOut(item: number, bin: number): void {
    const contents = this.contents[bin] as number[];
    contents.splice(contents.indexOf(item), 1);
    this.#add(item, bin, -1);
  }

  /** Closes a bin and returns its items. The last bin takes its number. */
  close(bin: number): readonly number[] {
    const contents = this.contents[bin] as number[];
    const last = this.contents.pop() as number[];
    const lastUsed = this.#used.pop() as Float64Array;
    if (bin < this.contents.length) {
      this.contents[bin] = last;
      this.#used[bin] = lastUsed;
    }
    return contents;
  }

  /** Returns the free part of a bin in one dimension. */
  free(bin: number, dimension: number): number {
    return 1 - ((this.#used[bin] as Float64Array)[dimension] as number);
  }

  /** Returns how full a bin is, summed over dimensions. */
  fullness(bin: number): number {
    return (this.#used[bin] as Float64Array).reduce((sum, each) => sum + each, 0);
  }

  #add(item: number, bin: number, times: 1 | -1): void {
    const { dimensions, sizes } = this.items;
    const used = this.#used[bin] as Float64Array;
    for (let dimension = 0; dimension < dimensions; dimension += 1)
      used[dimension] = (used[dimension] as number) + times * (sizes[item * dimensions + dimension] as number);
  }
}

type Without = { readonly first: number; readonly second: number };
const nothing: Without = { first: -1, second: -1 };
