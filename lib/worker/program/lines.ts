import { StringDecoder } from "node:string_decoder";

/** The longest line that is kept whole, in UTF-16 units. */
const longestLine = 32 * 1024;

/**
 * Splits a program's output into lines. A lone carriage return ends a line too, so that progress bars appear while they move. A longer
 * line is cut, so that memory stays bounded.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #rest = "";
  #dropping = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Buffer): void {
    this.#take(this.#decoder.write(bytes));
  }

  /** Emits the text after the last line's end. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== "") this.#emit(this.#rest.replace(/\r$/, ""));
    this.#rest = "";
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split(/\r?\n|\r(?!$)/);
    this.#rest = parts.pop() ?? "";
    for (const line of parts) this.#emit(line);
    if (this.#rest.length > longestLine) {
      this.#emit(this.#rest);
      this.#rest = "";
      this.#dropping = true;
    }
  }

  #emit(line: string): void {
    if (this.#dropping) {
      this.#dropping = false;
      return;
    }
    this.#onLine(line.length > longestLine ? `${line.slice(0, longestLine)} [cut]` : line);
  }
}

/** Keeps the last lines that were pushed. */
export class Tail {
  readonly #most: number;
  readonly #lines: string[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#most) this.#lines.shift();
  }

  /** Returns at most the last `length` characters of these lines. */
  text(length: number): string {
    const all = this.#lines.join("\n").trim();
    return all.length <= length ? all : `…${all.slice(1 - length)}`;
  }
}
