/** What a command says: results on stdout, everything else on stderr, so that results can be piped. */
export type Console = {
  /** A line of the result. */
  readonly out: (line: string) => void;
  /** A line beside it: progress, hints. */
  readonly note: (line: string) => void;
};

// Whoever reads us may have had enough (`fleet jobs | head -1`): then nothing is left to say, and nothing is wrong.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

export const terminal: Console = {
  out: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
};
