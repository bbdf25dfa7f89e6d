/** Before every path: a change that breaks clients would be another version beside this one. */
export const basePath = "/v1";
