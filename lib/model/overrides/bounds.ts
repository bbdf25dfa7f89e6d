/** The bounds of what admins may order and set. Larger limits and budgets are typing errors, or limit nothing. */
export const maxLimit = 1_000_000;
export const maxBudgetUsd = 100_000_000;

/** How long a value applies at least and at most, if it expires by itself. */
export const leastSetSeconds = 60;
export const maxSetSeconds = 366 * 86_400;

/** The longest time for which what runs on a drained node may go on. */
export const maxDeadlineSeconds = 7 * 86_400;

/** The longest reason that is kept, because every decision reads all of them. */
export const maxReasonLength = 200;
