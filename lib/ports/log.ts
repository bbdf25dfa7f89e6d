/**
 * One line of a function's log: a text that stays the same from event to event, and what varies as fields. An error is passed as
 * it was caught, under `error`; the logger prints its class, its stack and its causes.
 */
export type LogLine = {
  readonly level: "info" | "error";
  readonly message: string;
  readonly error?: unknown;
  readonly [field: string]: unknown;
};

export type Log = (line: LogLine) => void;
