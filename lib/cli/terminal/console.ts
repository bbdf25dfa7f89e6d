import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { styleText } from "node:util";
import { visible, visibleLines, visibleLog } from "./visible.ts";

/** How a piece of a job's log stands to its line. */
export type LineParts = {
  /** The line goes on in the next piece. */
  readonly open?: boolean | undefined;
  /** It takes the place of the open line. */
  readonly rewrites?: boolean | undefined;
};

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/**
 * What a command says: results on stdout, everything else on stderr, so that results can be piped. This is the only way to either of
 * them, and everything but `raw` and `bytes` is filtered here (visible.ts): a command cannot forget it.
 */
export type Console = {
  /** A line of the result. */
  readonly out: (line: string) => void;
  /** A line beside it: hints, what happens. */
  readonly note: (line: string) => void;
  /** What is going on at this moment, until it is told otherwise or nothing is: one line in its place on a terminal, else a line now and then. */
  readonly progress: (line: string | undefined) => void;
  /** A line of a job's log, on stdout, or a part of one: on a terminal it keeps its colours. */
  readonly jobLog: (line: string, parts?: LineParts) => void;
  /** Text on stdout exactly as it is, for those who ask for that. */
  readonly raw: (text: string) => void;
  /** Bytes on stdout exactly as they are; resolves when more may come. */
  readonly bytes: (chunk: Uint8Array) => Promise<void>;
  /** Whether stdout is a terminal, on which a line can be written anew. */
  readonly isTerminal: boolean;
  /** A text of the result in a colour; as it is where colours do not belong. Only `out` and `note` can show it. */
  readonly paint: (colour: Paint, text: string) => string;
  /** How wide a table may be, in columns. */
  readonly width: number;
};

/** Where nobody watches, a line of progress each ten seconds will do. */
const seldomMs = 10_000;

type Streams = { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream };

export function createTerminal({ stdout, stderr }: Streams): Console {
  let shown = "";
  let saidAtMs = Number.NEGATIVE_INFINITY;
  const wipe = (): void => {
    if (shown !== "") stderr.write("\r\x1b[K");
  };
  const show = (): void => {
    if (shown !== "") stderr.write(`\r\x1b[K${shown.slice(0, Math.max(20, stderr.columns - 1))}`);
  };
  // While a line of a log has no end yet, nothing else may touch it.
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
      } else if (text !== undefined && performance.now() - saidAtMs >= seldomMs) {
        saidAtMs = performance.now();
        stderr.write(`${text}\n`);
      }
    },
    paint: own.paint,
    // A pipe or a file gets all of it.
    width: stdout.isTTY ? Math.max(100, stdout.columns) : Number.POSITIVE_INFINITY,
  };
}

/**
 * Our own colours pass the filter because each of them follows a mark that nobody outside of this process can know; the mark itself
 * is never printed. NO_COLOR is heeded, and there are none unless the stream is a terminal.
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
