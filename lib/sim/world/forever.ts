/**
 * Returns a promise that never settles, for calls of a dead process. It must be a new one per call, because a shared promise would keep
 * everything that waits for it in memory, and with it the world of every run.
 */
export const forever = (): Promise<never> => new Promise(() => {});
