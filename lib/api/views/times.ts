const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Returns a time as ISO 8601 in UTC. Values outside the calendar are clamped to its limits, because workers report some of the times. */
export const iso = (atMs: number): string => new Date(Math.min(Math.max(Math.trunc(atMs), 0), latestMs)).toISOString();

/** Returns the same, or undefined if the time is undefined. */
export const isoIf = (atMs: number | undefined): string | undefined => (atMs === undefined ? undefined : iso(atMs));
