/**
 * Reproducible random numbers: the same seed gives the same numbers, on every machine and in every release.
 * The generator is sfc32 (C. Doty-Humphrey, PractRand, public domain), initialized with a hash of the seed's text.
 */
export class Chance {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#seed = seed;
    this.#a = hash(seed, 0x9e3779b9);
    this.#b = hash(seed, 0x243f6a88);
    this.#c = hash(seed, 0xb7e15162);
    for (let n = 0; n < 12; n += 1) this.next();
  }

  /** Returns an independent stream. Drawing from it does not affect the numbers of any other stream. */
  fork(name: string): Chance {
    return new Chance(`${this.#seed} ${name}`);
  }

  /** Returns a number in [0, 1). */
  next(): number {
    const mixed = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + mixed) | 0;
    return (mixed >>> 0) / 0x1_0000_0000;
  }

  happens(rate: number): boolean {
    return this.next() < rate;
  }

  /** Returns a whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(of: readonly T[]): T {
    const picked = of[Math.floor(this.next() * of.length)];
    if (picked === undefined) throw new Error("there is nothing to pick from");
    return picked;
  }
}

/** FNV-1a over UTF-16 code units, with a final mix. */
function hash(text: string, basis: number): number {
  let word = basis;
  for (let at = 0; at < text.length; at += 1) word = Math.imul(word ^ text.charCodeAt(at), 0x01000193);
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  return word ^ (word >>> 13);
}
