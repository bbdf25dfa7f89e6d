/** One line of the local cloud's log: words for a person, and whatever else a reader may want to look for. */
export type LogLine = { readonly message: string; readonly [field: string]: unknown };
export type Log = (line: LogLine) => void;
