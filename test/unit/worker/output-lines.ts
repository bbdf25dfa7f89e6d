import { LineSplitter } from "../../../lib/worker/program/lines.ts";
import type { Output } from "../../../lib/worker/program/program.ts";

/** Returns an output that collects a program's lines. */
export function linesInto(lines: string[]): Output {
  const splitters = { stdout: new LineSplitter((line) => lines.push(line)), stderr: new LineSplitter((line) => lines.push(line)) };
  return (from, bytes) => {
    splitters[from].push(bytes);
    return undefined;
  };
}
