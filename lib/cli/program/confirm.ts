import { createInterface } from "node:readline/promises";
import type { Confirm } from "../commands/jobs/cancel-many.ts";

/** Returns a function that asks on the terminal and takes anything but yes as no, or undefined if there is no terminal to ask on. */
export function confirmOnTerminal(): Confirm | undefined {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async (question) => {
    const prompt = createInterface({ input: stdin, output: stderr });
    try {
      return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
    } finally {
      prompt.close();
    }
  };
}
