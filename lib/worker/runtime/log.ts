export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;
/** The worker's own log. Flat fields only: an object that might hold credentials cannot slip in. */
export type Log = (level: "info" | "warn" | "error", message: string, fields?: Fields) => void;

/** One JSON object a line. */
export const jsonLog =
  (write: (line: string) => void, wallMs: () => number): Log =>
  (level, message, fields = {}) =>
    write(`${JSON.stringify({ time: new Date(wallMs()).toISOString(), level, message, ...fields })}\n`);

/** An error and its causes in one line. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${describe(error.cause)}`;
  return `${error.message || error.name}${cause}`;
}
