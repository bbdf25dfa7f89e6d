import { StringDecoder } from "node:string_decoder";
import type { LogPiece } from "../../../events/artifacts/log-line.ts";
import type { Clock } from "../runtime/clock.ts";

/** How long a line may stay unfinished before it is shown as it is, and how often at most its newest state is shown after that. */
export const unfinishedMs = 1_000;
/** In UTF-16 units, which are at most three bytes each. Even with JSON escapes a piece must fit into a CloudWatch Logs event (256 KiB). */
const longestPiece = 32 * 1024;

/**
 * Turns one output of a program (stdout or stderr) into pieces for the live stream. A line becomes one piece when it ends. If it does not
 * end within a second, it is shown as it is, and after that at most once per second: what was added or, after a carriage return, its
 * newest state. A long line becomes several pieces, so that little is held in memory.
 */
export class LiveLines {
  readonly #clock: Clock;
  readonly #emit: (piece: LogPiece) => void;
  readonly #decoder = new StringDecoder("utf8");
  /** The part of the line that has not been emitted. */
  #text = "";
  /** A carriage return was read, so the next text replaces the line so far. */
  #returned = false;
  /** The line was replaced after its last piece was emitted. */
  #rewrites = false;
  /** A piece of this line has been emitted. */
  #begun = false;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, emit: (piece: LogPiece) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  push(bytes: Buffer): void {
    this.#take(this.#decoder.write(bytes));
  }

  /** Emits the text after the last line feed. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#text !== "") this.#piece({ unfinished: false });
    this.#newLine();
  }

  #take(text: string): void {
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      this.#write(line);
      // A carriage return directly before the line feed belongs to the line's end, so it does not replace the line.
      this.#piece({ unfinished: false });
      this.#newLine();
    }
    this.#write(rest);
    if (this.#text !== "") this.#cancelTimer ??= this.#clock.after(unfinishedMs, () => this.#show());
  }

  /** Adds text that contains no line feed. */
  #write(text: string): void {
    const returns = text.split("\r");
    for (const [index, part] of returns.entries()) {
      if (index > 0) this.#returned = true;
      if (part === "") continue;
      if (this.#returned) {
        this.#text = "";
        this.#rewrites = this.#begun;
        this.#returned = false;
      }
      this.#append(part);
    }
  }

  #append(text: string): void {
    let rest = this.#text + text;
    while (rest.length > longestPiece) {
      const at = endOfPiece(rest);
      this.#text = rest.slice(0, at);
      this.#piece({ unfinished: true });
      rest = rest.slice(at);
    }
    this.#text = rest;
  }

  #show(): void {
    this.#cancelTimer = undefined;
    if (this.#text !== "") this.#piece({ unfinished: true });
  }

  #piece({ unfinished }: { unfinished: boolean }): void {
    const place = this.#rewrites ? { rewrites: true as const } : this.#begun ? { continues: true as const } : {};
    this.#emit({ text: this.#text, ...place, ...(unfinished && { unfinished: true as const }) });
    this.#text = "";
    this.#begun = true;
    this.#rewrites = false;
  }

  #newLine(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#returned = false;
    this.#begun = false;
    this.#rewrites = false;
  }
}

/** Returns where to cut a long line, so that no surrogate pair is split. */
const endOfPiece = (text: string): number => {
  const last = text.charCodeAt(longestPiece - 1);
  return last >= 0xd800 && last <= 0xdbff ? longestPiece - 1 : longestPiece;
};
