import { Fault } from "../model/fault.ts";

/** What `fleet` exits with: 0 it worked, 1 it did not, 2 it was asked wrongly. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** The command was asked wrongly; the message says how to ask. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Says on stderr what went wrong, without a stack unless FLEETWRIGHT_DEBUG is set, and answers the exit code. */
export function explain(error: unknown, note: (line: string) => void): number {
  const known = error instanceof Fault || error instanceof UsageError;
  note(`fleet: ${error instanceof Error ? error.message : String(error)}`);
  if (process.env["FLEETWRIGHT_DEBUG"] && error instanceof Error) note(error.stack ?? "");
  else if (!known) note("fleet: set FLEETWRIGHT_DEBUG=1 to see where this came from");
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}
