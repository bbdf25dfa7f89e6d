/** The prefix of every path. A change that breaks clients would need a new version next to this one. */
export const basePath = "/v1";

const ofJobs = new RegExp(`^${basePath}/teams/[^/]+/jobs(?:/|$)`);

/** Returns whether a path is that of a team's jobs or begins with it. */
export const isAboutJobs = (path: string): boolean => ofJobs.test(path);
