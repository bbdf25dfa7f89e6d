import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";

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
