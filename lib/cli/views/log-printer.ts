import type { LogLine } from "../../api/views/logs.ts";
import type { Console } from "../terminal/console.ts";

export type LogPrinter = {
  /** `rank`: whose line it is. */
  print(line: LogLine, rank: number): void;
  /** Ends a line that is still open, so that something else can be said. */
  end(): void;
};

/** What a job's log says where a part of it was left out. */
const leftOut = /^\[fleetwright: .* --whole\b/;
export const saysLeftOut = ({ text }: LogLine): boolean => leftOut.test(text);

/**
 * Puts the pieces of a log together to lines. On a terminal an unfinished line stands as it is until it is continued or written anew;
 * elsewhere each new state of a line is a line of its own. `names`: each line begins with its rank.
 */
export function logPrinter(
  console: Pick<Console, "jobLog" | "raw" | "isTerminal">,
  { names, raw }: { readonly names: boolean; readonly raw: boolean },
): LogPrinter {
  /** Whose line has no end yet. */
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
