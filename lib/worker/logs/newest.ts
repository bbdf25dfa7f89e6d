type Sized<T> = { readonly item: T; readonly bytes: number };

/** Keeps the newest items up to a number of bytes, and counts those that it drops. */
export class Newest<T> {
  readonly #maxBytes: number;
  #items: Sized<T>[] = [];
  /** The index of the oldest item. It exists because removing from the front of a long array is slow. */
  #first = 0;
  #bytes = 0;
  #gone = { items: 0, bytes: 0 };

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#first === this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get gone(): { readonly items: number; readonly bytes: number } {
    return this.#gone;
  }

  push(item: T, bytes: number): void {
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes && this.#items.length - this.#first > 1) this.#drop();
  }

  /** Removes and returns all items, oldest first. */
  takeAll(): T[] {
    const all = this.#items.slice(this.#first).map(({ item }) => item);
    this.#items = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#gone = { items: 0, bytes: 0 };
    return all;
  }

  #drop(): void {
    const oldest = this.#items[this.#first];
    if (oldest === undefined) return;
    this.#first++;
    this.#bytes -= oldest.bytes;
    this.#gone = { items: this.#gone.items + 1, bytes: this.#gone.bytes + oldest.bytes };
    if (this.#first < 1_000 || this.#first * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }
}
