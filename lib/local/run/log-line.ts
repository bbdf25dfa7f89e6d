import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { withLoggedError } from "../../model/errors/logged-error.ts";

/**
 * A line of the local cloud's log. `message` is the same text for every event of a kind; what varies is in other fields. An error is
 * passed as it was caught, under `error`.
 */
export type LocalLogLine = { readonly message: string; readonly error?: unknown; readonly [field: string]: unknown };
export type LocalLog = (line: LocalLogLine) => void;

/** A log file with one JSON object per line. */
export type LogFile = { write(line: object): void; close(): Promise<void> };

export function createLogFile(path: string): LogFile {
  const stream = createWriteStream(path, { flags: "a" });
  return {
    write: (line) => {
      if (!stream.writableEnded) stream.write(`${JSON.stringify(line)}\n`);
    },
    close: async () => {
      stream.end();
      await finished(stream);
    },
  };
}

/** Returns the local cloud's log. An error is written with its class, its stack and its causes, but without its other fields. */
export const logTo =
  (file: LogFile): LocalLog =>
  (line) =>
    file.write({ time: new Date().toISOString(), ...withLoggedError(line) });
