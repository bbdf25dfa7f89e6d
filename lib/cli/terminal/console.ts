import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { styleText } from "node:util";
import { visible, visibleLines, visibleLog } from "./visible.ts";

/** How a piece of a job's log relates to its line. */
export type LineParts = {
  /** The line continues in the next piece. */
  readonly open?: boolean | undefined;
  /** The piece replaces the open line. */
  readonly rewrites?: boolean | undefined;
};

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/**
 * The output of a command: results on stdout, everything else on stderr, so that results can be piped. Commands write to these streams
 * only through this type, which filters everything except `raw` and `bytes` (visible.ts), so that no command can forget the filter.
 */
export type Console = {
  /** Prints a line of the result. */
  readonly out: (line: string) => void;
  /** Prints a line that is not part of the result: a hint, or what happens. */
  readonly note: (line: string) => void;
  /** Shows what is going on until the next call; undefined clears it. On a terminal one line in place, otherwise a line every 10 s. */
  readonly progress: (line: string | undefined) => void;
  /** Prints a line of a job's log, or a part of one, on stdout. On a terminal it keeps its colours. */
  readonly jobLog: (line: string, parts?: LineParts) => void;
  /** Prints text on stdout without any filter. */
  readonly raw: (text: string) => void;
  /** Writes bytes to stdout unchanged. Resolves when the stream accepts more. */
  readonly bytes: (chunk: Uint8Array) => Promise<void>;
  /** Whether stdout is a terminal, on which a line can be rewritten. */
  readonly isTerminal: boolean;
  /** Colours a text, or returns it unchanged if stdout has no colours. Only `out` and `note` can print the result. */
  readonly paint: (colour: Paint, text: string) => string;
  /** The maximum width of a table, in columns. */
  readonly width: number;
};

/** The interval between lines of progress if stderr is not a terminal. */
const seldomMs = 10_000;

type Streams = { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream };

export function createTerminal({ stdout, stderr }: Streams): Console {
  let shown = "";
  let lastProgressAtMs = Number.NEGATIVE_INFINITY;
  const wipe = (): void => {
    if (shown !== "") stderr.write("\r\x1b[K");
  };
  const show = (): void => {
    if (shown !== "") stderr.write(`\r\x1b[K${shown.slice(0, Math.max(20, stderr.columns - 1))}`);
  };
  // While a line of a log is unfinished, nothing else may be written on it.
  let open = false;
  const write = (to: NodeJS.WriteStream, text: string, isOpen = false): void => {
    wipe();
    to.write(text);
    open = isOpen;
    if (!open) show();
  };
  const own = ownColours(stdout);
  return {
    out: (line) => write(stdout, `${own.filtered(line)}\n`),
    note: (line) => write(stderr, `${own.filtered(line)}\n`),
    jobLog: (line, { open: isOpen = false, rewrites = false } = {}) => {
      const begin = stdout.isTTY && rewrites ? "\r\x1b[K" : "";
      write(stdout, `${begin}${visibleLog(line, { colours: stdout.isTTY && own.wanted })}${isOpen ? "" : "\n"}`, isOpen);
    },
    raw: (text) => write(stdout, text, !text.endsWith("\n")),
    bytes: async (chunk) => {
      if (!stdout.write(chunk)) await once(stdout, "drain");
    },
    isTerminal: stdout.isTTY === true,
    progress: (line) => {
      const text = line === undefined ? undefined : visible(line);
      if (open && stderr.isTTY) return;
      if (stderr.isTTY) {
        wipe();
        shown = text ?? "";
        show();
      } else if (text !== undefined && performance.now() - lastProgressAtMs >= seldomMs) {
        lastProgressAtMs = performance.now();
        stderr.write(`${text}\n`);
      }
    },
    paint: own.paint,
    // A pipe or a file gets the full width.
    width: stdout.isTTY ? Math.max(100, stdout.columns) : Number.POSITIVE_INFINITY,
  };
}

/**
 * Our own colours pass the filter because each follows a random mark that is known only to this process. The mark itself is never
 * printed. There are no colours if NO_COLOR is set or the stream is not a terminal.
 */
function ownColours(stream: NodeJS.WriteStream) {
  const mark = `\u0000${randomUUID()}`;
  const marked = new RegExp(`${mark}(\u001b\\[\\d+m)`);
  // Node 20's styleText has no option for the stream.
  const coloured = stream.isTTY && stream.hasColors();
  const around = (colour: Paint): readonly string[] => (coloured ? styleText(colour, "|", { validateStream: false }).split("|") : []);
  return {
    wanted: coloured,
    paint: (colour: Paint, text: string): string => {
      const [begin, end] = around(colour);
      return begin ? `${mark}${begin}${text}${mark}${end}` : text;
    },
    filtered: (text: string): string =>
      text
        .split(marked)
        .map((part, index) => (index % 2 === 0 ? visibleLines(part) : part))
        .join(""),
  };
}

export const terminal: Console = createTerminal(process);
