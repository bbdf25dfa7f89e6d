import { inWords } from "../../model/errors/in-words.ts";
import { type LoggedError, loggedError } from "../../model/errors/logged-error.ts";
import { fileWords } from "../../model/files/file-words.ts";
import { FleetError } from "../../model/fleet-error.ts";

/** Exit codes of `fleet`. 130 is what shells use for a program that was interrupted. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A command that was used wrongly. The message says how to use it. */
export class UsageError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "UsageError";
  }
}

/** Returns an error in words. Some errors, for example a connection refused by several addresses, have no message of their own. */
export function whatWentWrong(error: unknown): string {
  const aboutFile = fileWords(error);
  if (aboutFile !== undefined) return aboutFile;
  if (error instanceof AggregateError && error.message === "") return error.errors.map(whatWentWrong).join("; ");
  return inWords(error);
}

/** Prints what went wrong, with the stack and the causes only if FLEETWRIGHT_DEBUG is set. Returns the exit code. */
export function explain(error: unknown, note: (line: string) => void): number {
  const known = error instanceof FleetError || error instanceof UsageError || fileWords(error) !== undefined;
  note(`fleet: ${whatWentWrong(error)}`);
  trace(error, note);
  if (!known && !isDebugging()) note("fleet: set FLEETWRIGHT_DEBUG=1 to see the stack of this error");
  return isWrongUse(error) ? exitCodes.usage : exitCodes.failed;
}

/** Reports whether the command was used wrongly: this program says so, or the API about what it was sent. */
const isWrongUse = (error: unknown): boolean =>
  error instanceof UsageError || (error instanceof FleetError && (error.code === "invalid" || error.code === "cursor"));

/** Prints the stack and the causes of an error, if FLEETWRIGHT_DEBUG is set. */
export function trace(error: unknown, note: (line: string) => void): void {
  if (isDebugging()) for (const line of traceLines(loggedError(error))) note(line);
}

const isDebugging = (): boolean => Boolean(process.env["FLEETWRIGHT_DEBUG"]);

function traceLines({ name, message, stack, code, status, requestId, cause, errors = [] }: LoggedError): readonly string[] {
  const facts = Object.entries({ code, status, requestId }).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`]));
  return [
    stack ?? `${name}: ${message}`,
    ...(facts.length > 0 ? [`    (${facts.join(", ")})`] : []),
    ...errors.flatMap((part) => prefixed("one of its errors: ", part)),
    ...(cause === undefined ? [] : prefixed("caused by: ", cause)),
  ];
}

function prefixed(prefix: string, error: LoggedError): readonly string[] {
  const [first = "", ...rest] = traceLines(error);
  return [`${prefix}${first}`, ...rest];
}
