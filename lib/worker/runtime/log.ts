import { withLoggedError } from "../../model/errors/logged-error.ts";

export type WorkerLogFields = Readonly<Record<string, string | number | boolean | undefined>>;
/**
 * The worker's own log. Fields must be flat, so that no object that might contain credentials is logged. An error should be passed as it
 * was caught: only its class, its stack and its causes are printed.
 */
export type WorkerLog = (level: "info" | "warn" | "error", message: string, fields?: WorkerLogFields, error?: unknown) => void;

/** Returns a log that writes one JSON object per line. */
export const jsonLog =
  (write: (line: string) => void, wallMs: () => number): WorkerLog =>
  (level, message, fields = {}, error = undefined) =>
    write(`${JSON.stringify({ time: new Date(wallMs()).toISOString(), level, message, ...withLoggedError({ ...fields, error }) })}\n`);
