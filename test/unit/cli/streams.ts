import { WriteStream } from "node:tty";
import { type Console, createTerminal } from "../../../lib/cli/terminal/console.ts";

/** The output of a console on its two streams. */
export type Written = { readonly stdout: string; readonly stderr: string };

/** Returns the real console on streams that record, either as terminals or as pipes. */
export function aTerminal({ isTTY, columns }: { readonly isTTY: boolean; readonly columns?: number }): {
  console: Console;
  written: () => Written;
} {
  const stdout = remembering({ isTTY, columns });
  const stderr = remembering({ isTTY, columns });
  return { console: createTerminal({ stdout, stderr }), written: () => ({ stdout: stdout.text(), stderr: stderr.text() }) };
}

function remembering(as: { isTTY: boolean; columns: number | undefined }): NodeJS.WriteStream & { text(): string } {
  const written: string[] = [];
  // The parts of a tty.WriteStream that work without a terminal. The stream is never opened.
  return Object.assign(Object.create(WriteStream.prototype), {
    isTTY: as.isTTY,
    columns: as.columns,
    write: (text: string) => written.push(text) > 0,
    text: () => written.join(""),
  });
}
