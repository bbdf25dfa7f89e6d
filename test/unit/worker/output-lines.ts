import { LineSplitter } from "../../../lib/worker/program/lines.ts";
import type { Output } from "../../../lib/worker/program/program.ts";

/** Takes a program's output as lines. */
export function linesInto(lines: string[]): Output {
  const splitters = { stdout: new LineSplitter((line) => lines.push(line)), stderr: new LineSplitter((line) => lines.push(line)) };
  return (from, bytes) => {
    splitters[from].push(bytes);
    return undefined;
  };
}
