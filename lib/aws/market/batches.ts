/** EC2's limit of values per call, over all its filters. It returns FilterLimitExceeded for more. */
export const maxFilterValues = 200;

/** DescribeInstanceTypes' limit of names per call, which is used for other calls with names, too. */
export const maxNames = 100;

/** Returns the items in order, in batches of at most `size`. */
export const batches = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
