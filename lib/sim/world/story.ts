import { inWords } from "../../model/errors/in-words.ts";

/** The last events of a run, for the report of a violation. They are formatted only when they are read. */
export class Story {
  readonly #last: { readonly atMs: number; readonly parts: readonly unknown[] }[] = [];
  readonly #most: number;
  readonly #now: () => number;
  readonly #startMs: number;

  constructor(now: () => number, most = 60) {
    this.#now = now;
    this.#startMs = now();
    this.#most = most;
  }

  note(...parts: readonly unknown[]): void {
    this.#last.push({ atMs: this.#now(), parts });
    if (this.#last.length > 2 * this.#most) this.#last.splice(0, this.#most);
  }

  /** One line per event: the seconds since the run began, then what happened. */
  get lines(): readonly string[] {
    return this.#last
      .slice(-this.#most)
      .map(({ atMs, parts }) => `${((atMs - this.#startMs) / 1000).toFixed(3).padStart(9)} s  ${parts.map(wordsOf).join(" ")}`);
  }
}

const wordsOf = (value: unknown): string =>
  typeof value === "string"
    ? value
    : (JSON.stringify(value, (_key, part) => (part instanceof Error ? inWords(part) : part)) ?? "").slice(0, 300);
