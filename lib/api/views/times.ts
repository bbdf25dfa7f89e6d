const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** ISO 8601 in UTC. Some times are a worker's word: one that no calendar has becomes the nearest that has. */
export const iso = (atMs: number): string => new Date(Math.min(Math.max(Math.trunc(atMs), 0), latestMs)).toISOString();

/** The same; absent stays absent. */
export const isoIf = (atMs: number | undefined): string | undefined => (atMs === undefined ? undefined : iso(atMs));
