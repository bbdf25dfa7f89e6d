import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";

/** One line of the local cloud's log: words for a person, and whatever else a reader may want to look for. */
export type LogLine = { readonly message: string; readonly [field: string]: unknown };
export type Log = (line: LogLine) => void;

/** A log file of one JSON object a line. */
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
