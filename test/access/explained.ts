/** Rights that no run on one machine needs, and why the stack has them. */
const reasons: readonly (readonly [pattern: RegExp, why: string])[] = [];

/** Returns why a statement, or an action of it, stays although nothing needed it; undefined if there is no reason. */
export const explained = (name: string): string | undefined => reasons.find(([pattern]) => pattern.test(name))?.[1];
