import { Logger } from "@aws-lambda-powertools/logger";
import { loggedError, withLoggedError } from "../model/errors/logged-error.ts";
import type { Log } from "../ports/log.ts";

/** The variable parts of a line. An error must be in `error`. */
export type Fields = { readonly error?: unknown; readonly [field: string]: unknown };

/** A function's log, which writes one JSON object per line to stdout or stderr. */
export type FunctionLogger = {
  info(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
};

/** Creates a function's log. Formats errors itself, because Powertools prints all their fields and AWS's errors hold whole responses. */
export function functionLogger(serviceName: string): FunctionLogger {
  const jsonReplacerFn = (_key: string, value: unknown): unknown => (value instanceof Error ? loggedError(value) : value);
  const logger = new Logger({ serviceName, jsonReplacerFn });
  return {
    info: (message, fields = {}) => logger.info(message, withLoggedError(fields)),
    error: (message, fields = {}) => logger.error(message, withLoggedError(fields)),
  };
}

/** Returns a `Log` for flows, adapters and the API that writes to a function's log. */
export const logTo =
  (logger: FunctionLogger): Log =>
  ({ level, message, ...fields }) =>
    logger[level](message, fields);

/** Wraps a handler so that its errors are logged here, because Lambda logs neither causes nor AWS's request ids. */
export const loggingErrors =
  <Args extends readonly unknown[], Result>(logger: FunctionLogger, handler: (...args: Args) => Promise<Result>) =>
  async (...args: Args): Promise<Result> => {
    try {
      return await handler(...args);
    } catch (error) {
      logger.error("invocation failed", { error });
      throw error;
    }
  };
