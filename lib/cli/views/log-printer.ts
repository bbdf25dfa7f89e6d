import type { LogLineView } from "../../api/views/logs.ts";
import type { Console } from "../terminal/console.ts";

export type LogPrinter = {
  /** Prints a line, or a piece of one, of the member with this rank. */
  print(line: LogLineView, rank: number): void;
  /** Ends a line that is still open, so that something else can be printed. */
  end(): void;
};

/** Matches the line in a job's log that says that a part was left out. */
const leftOut = /^\[fleetwright: .* --whole\b/;
export const saysLeftOut = ({ text }: LogLineView): boolean => leftOut.test(text);

/**
 * Joins the pieces of a log into lines. On a terminal, an unfinished line stays until it is continued or rewritten. Elsewhere, each new
 * state of a line becomes a line of its own. With `names`, each line begins with its rank.
 */
export function logPrinter(
  console: Pick<Console, "jobLog" | "raw" | "isTerminal">,
  { names, raw }: { readonly names: boolean; readonly raw: boolean },
): LogPrinter {
  /** The rank whose line is unfinished; undefined if there is none. */
  let open: number | undefined;
  const write: Console["jobLog"] = raw
    ? (line, parts = {}) => console.raw(`${parts.rewrites ? "\r\x1b[K" : ""}${line}${parts.open ? "" : "\n"}`)
    : console.jobLog;
  const end = (): void => {
    if (open !== undefined) write("");
    open = undefined;
  };
  return {
    end,
    print({ text, unfinished, continues, rewrites }, rank) {
      const follows = open === rank && (continues === true || (rewrites === true && console.isTerminal));
      if (!follows) end();
      const name = names && !(follows && continues) ? `[${rank}] ` : "";
      write(`${name}${text}`, { open: unfinished, rewrites: follows && rewrites });
      open = unfinished ? rank : undefined;
    },
  };
}
