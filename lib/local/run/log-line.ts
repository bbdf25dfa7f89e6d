/**
 * One line of the local cloud's log: words for a person, and whatever else a reader may want to look for. An error is passed as
 * it was caught, under `error`.
 */
export type LogLine = { readonly message: string; readonly error?: unknown; readonly [field: string]: unknown };
export type Log = (line: LogLine) => void;
