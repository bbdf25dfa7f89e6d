/**
 * Nothing comes after it: how a call of a dead process ends. One for each call; one for all would keep all that ever waited for
 * it, and with it the world of every run.
 */
export const forever = (): Promise<never> => new Promise(() => {});
