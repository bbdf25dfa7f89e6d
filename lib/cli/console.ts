/** What a command says: results on stdout, everything else on stderr, so that results can be piped. */
export type Console = {
  /** A line of the result. */
  readonly out: (line: string) => void;
  /** A line beside it: progress, hints. */
  readonly note: (line: string) => void;
};

export const terminal: Console = {
  out: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
};
