import { inWords } from "../../model/errors/in-words.ts";
import type { FunctionError } from "./thread-messages.ts";

/** Returns an error in the shape in which Lambda's runtime reports it to callers. Functions log their errors with causes themselves. */
export function functionError(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: inWords(error) };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}
