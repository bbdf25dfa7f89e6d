import type { JobClass } from "./problem.ts";

/** Jobs with the same needs, whatever their priorities. */
export type Shape = {
  /** The need by dimension, in millionths. The last dimension is GPUs. */
  readonly size: Float64Array;
  /** The number of whole GPUs. */
  readonly whole: number;
  /** The share of one GPU, in millionths; 0 if it needs none. */
  readonly share: number;
  readonly count: number;
  readonly classes: readonly JobClass[];
};
