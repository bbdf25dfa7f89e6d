import type { Logger } from "@aws-lambda-powertools/logger";

/** One structured line, as flows write them. */
export type LogLine = { readonly level: "info" | "error"; readonly message: string; readonly [field: string]: unknown };

/** Hands flows' lines to the logger. */
export const lineTo =
  (logger: Logger) =>
  ({ level, message, ...fields }: LogLine): void =>
    logger[level](message, fields);
