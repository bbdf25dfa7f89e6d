import { inWords } from "../../model/errors/in-words.ts";
import type { FunctionError } from "./thread-messages.ts";

/** An error in the shape in which Lambda's runtime tells a caller of it. Functions log what they throw, with its causes, themselves. */
export function functionError(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: inWords(error) };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}
