import { styleText } from "node:util";

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** What a command says: results on stdout, everything else on stderr, so that results can be piped. */
export type Console = {
  /** A line of the result. */
  readonly out: (line: string) => void;
  /** A line beside it: hints, what happens. */
  readonly note: (line: string) => void;
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
  return {
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
    // Whoever reads a pipe or a file gets all of it.
    width: stdout.isTTY ? Math.max(100, stdout.columns) : Number.POSITIVE_INFINITY,
  };
}

export const terminal: Console = createTerminal();
