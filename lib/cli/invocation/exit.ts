import { Fault } from "../../model/fault.ts";
import { fileWords } from "../../model/files/file-words.ts";

/** What `fleet` exits with: 0 it worked, 1 it did not, 2 it was asked wrongly, 130 (as shells have it) it was interrupted. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The command was asked wrongly; the message says how to ask. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** An error in words; some (a refused connection to several addresses) say nothing themselves. */
export function whatWentWrong(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const aboutFile = fileWords(error);
  if (aboutFile !== undefined) return aboutFile;
  if (error instanceof AggregateError && error.message === "") return error.errors.map(whatWentWrong).join("; ");
  return error.message || error.name;
}

/** Says on stderr what went wrong, without a stack unless FLEETWRIGHT_DEBUG is set, and answers the exit code. */
export function explain(error: unknown, note: (line: string) => void): number {
  const known = error instanceof Fault || error instanceof UsageError || fileWords(error) !== undefined;
  note(`fleet: ${whatWentWrong(error)}`);
  if (process.env["FLEETWRIGHT_DEBUG"] && error instanceof Error) note(error.stack ?? "");
  else if (!known) note("fleet: set FLEETWRIGHT_DEBUG=1 to see where this came from");
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}
