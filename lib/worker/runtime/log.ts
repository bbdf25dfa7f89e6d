import { withLoggedError } from "../../model/errors/logged-error.ts";

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;
/**
 * The worker's own log. Flat fields only: an object that might hold credentials cannot slip in. An error is passed as it was
 * caught; its class, its stack and its causes are printed, and none of its other fields.
 */
export type Log = (level: "info" | "warn" | "error", message: string, fields?: Fields, error?: unknown) => void;

/** One JSON object a line. */
export const jsonLog =
  (write: (line: string) => void, wallMs: () => number): Log =>
  (level, message, fields = {}, error = undefined) =>
    write(`${JSON.stringify({ time: new Date(wallMs()).toISOString(), level, message, ...withLoggedError({ ...fields, error }) })}\n`);
