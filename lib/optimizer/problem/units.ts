/** Sizes are integers, in millionths, so that sums are exact and do not depend on the order in which they are added. */
export const unit = 1_000_000;

/** Absorbs the rounding error of a decimal fraction that is converted to millionths. */
const slack = 1e-4;

/** Converts what is available to millionths, rounded down. */
export const unitsOf = (value: number): number => Math.max(0, Math.floor(value * unit + slack));
/** Converts what is needed to millionths, rounded up. */
export const sizeOf = (value: number): number => Math.max(0, Math.ceil(value * unit - slack));
