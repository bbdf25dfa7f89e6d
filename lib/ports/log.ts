/**
 * One line of a function's log. `message` must be the same text for every event of a kind; what varies belongs in other fields. Pass an
 * error as it was caught, under `error`; the logger prints its class, its stack and its causes.
 */
export type LogLine = {
  readonly level: "info" | "error";
  readonly message: string;
  readonly error?: unknown;
  readonly [field: string]: unknown;
};

export type Log = (line: LogLine) => void;
