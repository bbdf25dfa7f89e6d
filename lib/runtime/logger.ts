import { Logger } from "@aws-lambda-powertools/logger";
import { loggedError, withLoggedError } from "../model/errors/logged-error.ts";
import type { Log } from "../ports/log.ts";

/** What varies from line to line; an error goes under `error`. */
export type Fields = { readonly error?: unknown; readonly [field: string]: unknown };

/** The one log of a function: a JSON object per line, on stdout or stderr. */
export type FunctionLogger = {
  info(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
};

/** Powertools itself would print every field of an error, and AWS's errors hold the whole answer. */
export function functionLogger(serviceName: string): FunctionLogger {
  const jsonReplacerFn = (_key: string, value: unknown): unknown => (value instanceof Error ? loggedError(value) : value);
  const logger = new Logger({ serviceName, jsonReplacerFn });
  return {
    info: (message, fields = {}) => logger.info(message, withLoggedError(fields)),
    error: (message, fields = {}) => logger.error(message, withLoggedError(fields)),
  };
}

/** Takes the lines of flows, adapters and the API. */
export const logTo =
  (logger: FunctionLogger): Log =>
  ({ level, message, ...fields }) =>
    logger[level](message, fields);

/** Logs what a handler throws before Lambda does, which prints neither causes nor AWS's request ids. */
export const loggingErrors =
  <Args extends readonly unknown[], Result>(logger: FunctionLogger, handler: (...args: Args) => Promise<Result>) =>
  async (...args: Args): Promise<Result> => {
    try {
      return await handler(...args);
    } catch (error) {
      logger.error("the invocation failed", { error });
      throw error;
    }
  };
