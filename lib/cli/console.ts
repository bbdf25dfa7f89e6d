import { once } from "node:events";
import { styleText } from "node:util";

/** How a piece of a job's log stands to its line. */
export type LineParts = {
  /** The line goes on in the next piece. */
  readonly open?: boolean | undefined;
  /** It takes the place of the open line. */
  readonly rewrites?: boolean | undefined;
};

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** What a command says: results on stdout, everything else on stderr, so that results can be piped. */
export type Console = {
  /** A line of the result. */
  readonly out: (line: string) => void;
  /** A line beside it: hints, what happens. */
  readonly note: (line: string) => void;
  /** A line of a job's log, on stdout, or a part of one. */
  readonly jobLog: (line: string, parts?: LineParts) => void;
  /** Text on stdout exactly as it is, for those who ask for that. */
  readonly raw: (text: string) => void;
  /** Bytes on stdout exactly as they are; resolves when more may come. */
  readonly bytes: (chunk: Uint8Array) => Promise<void>;
  /** Whether stdout is a terminal, on which a line can be written anew. */
  readonly isTerminal: boolean;
  /** What is going on at this moment, until it is told otherwise or nothing is: one line in its place on a terminal, else a line now and then. */
  readonly progress: (line: string | undefined) => void;
  /** A text of the result in a colour; as it is where colours do not belong. */
  readonly paint: (colour: Paint, text: string) => string;
  /** How wide a table may be, in columns. */
  readonly width: number;
};

/** Where nobody watches, a line of progress each ten seconds will do. */
const seldomMs = 10_000;

function createTerminal(): Console {
  const { stdout, stderr } = process;
  let shown = "";
  let saidAtMs = Number.NEGATIVE_INFINITY;
  const wipe = (): void => {
    if (shown !== "") stderr.write("\r\x1b[K");
  };
  const show = (): void => {
    if (shown !== "") stderr.write(`\r\x1b[K${shown.slice(0, Math.max(20, stderr.columns - 1))}`);
  };
  // While a line has no end yet, nothing else may touch it.
  let open = false;
  return {
    jobLog: (line, parts = {}) => {
      wipe();
      stdout.write(`${stdout.isTTY && parts.rewrites ? "\r\x1b[K" : ""}${line}${parts.open ? "" : "\n"}`);
      open = parts.open === true;
      if (!open) show();
    },
    raw: (text) => {
      wipe();
      stdout.write(text);
      open = !text.endsWith("\n");
      if (!open) show();
    },
    bytes: async (chunk) => {
      if (!stdout.write(chunk)) await once(stdout, "drain");
    },
    isTerminal: stdout.isTTY === true,
    out: (line) => {
      wipe();
      stdout.write(`${line}\n`);
      show();
    },
    note: (line) => {
      wipe();
      stderr.write(`${line}\n`);
      show();
    },
    progress: (line) => {
      if (open && stderr.isTTY) return;
      if (stderr.isTTY) {
        wipe();
        shown = line ?? "";
        show();
      } else if (line !== undefined && performance.now() - saidAtMs >= seldomMs) {
        saidAtMs = performance.now();
        stderr.write(`${line}\n`);
      }
    },
    // It heeds NO_COLOR, and leaves the text alone unless stdout is a terminal.
    paint: (colour, text) => styleText(colour, text, { stream: stdout }),
    width: Math.max(100, stdout.columns ?? 0),
  };
}

export const terminal: Console = createTerminal();
