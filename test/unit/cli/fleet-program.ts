import { vi } from "vitest";
import { runFleet } from "../../../lib/cli/program/run.ts";
import { aTerminal } from "./streams.ts";

/** Gives the program an environment of its own with this home folder, instead of that of the user who runs the tests. */
export function atHome(home: string): void {
  for (const name of Object.keys(process.env).filter((each) => /^(AWS_|FLEETWRIGHT_(?!COMMAND)|npm_)/.test(each)))
    vi.stubEnv(name, undefined);
  vi.stubEnv("HOME", home);
  vi.stubEnv("FLEETWRIGHT_HOME", home);
}

/** Runs the program within this process, without a terminal. */
export async function fleet(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const { console, written } = aTerminal({ isTTY: false });
  const code = await runFleet({ argv: ["node", "fleet", ...args], console });
  const { stdout, stderr } = written();
  return { code, out: stdout, err: stderr };
}
