/** EC2 takes so many values of filters in one call, those of all its filters together, and answers FilterLimitExceeded to more. */
export const mostFilterValues = 200;

/** DescribeInstanceTypes takes so many names, and no other call that takes names is asked for more. */
export const mostNames = 100;

/** In their order, so many at a time. */
export const batches = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
