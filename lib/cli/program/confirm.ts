import { createInterface } from "node:readline/promises";
import type { Confirm } from "../commands/jobs/cancel-many.ts";

/** Asks on the terminal; anything but yes is no. Undefined where nobody sits before one. */
export function confirmOnTerminal(): Confirm | undefined {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async (question) => {
    const asking = createInterface({ input: stdin, output: stderr });
    try {
      return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim());
    } finally {
      asking.close();
    }
  };
}
