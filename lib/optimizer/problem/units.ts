/** Sizes count in millionths, as integers: sums are exact, and what fits does not depend on the order in which it was added. */
export const unit = 1_000_000;

/** Takes back what a decimal fraction gains or loses when it is counted in millionths. */
const slack = 1e-4;

/** What there is: rounded down. */
export const unitsOf = (value: number): number => Math.max(0, Math.floor(value * unit + slack));
/** What is needed: rounded up. */
export const sizeOf = (value: number): number => Math.max(0, Math.ceil(value * unit - slack));
