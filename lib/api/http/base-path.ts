/** The prefix of every path. A change that breaks clients would need a new version next to this one. */
export const basePath = "/v1";
