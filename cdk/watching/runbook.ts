/** The sections of docs/operations.md about alarms, by the anchors of their headings. */
type RunbookSection =
  | "too-much-or-too-little-work"
  | "a-function-fails"
  | "a-step-fails-again-and-again"
  | "a-message-could-not-be-handled"
  | "an-objective-is-missed";

/** Returns an alarm's description: what has happened, and where the runbook says what to do. */
export const withRunbook = (what: string, section: RunbookSection): string => `${what} Runbook: docs/operations.md#${section}`;
