/**
 * Returns an error as a text for people, such as the reason of a job, a line of a command's output or the message of a FleetError that has the
 * error as its cause. A log must get the error itself, because the text has lost the stack, the code and the causes.
 */
export function inWords(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return typeof error === "object" && error !== null ? "something was thrown that is not an error" : String(error);
}

/** The same, followed by the error's causes, at most `most` of them. */
export function withCauses(error: unknown, most = 5): string {
  const hasCause = error instanceof Error && error.cause !== undefined && most > 0;
  return hasCause ? `${inWords(error)}: ${withCauses(error.cause, most - 1)}` : inWords(error);
}
