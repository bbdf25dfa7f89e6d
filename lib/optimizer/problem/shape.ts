import type { JobClass } from "./problem.ts";

/** Jobs that need the same, whatever their priority. */
export type Shape = {
  /** By dimension, in millionths; the last dimension is GPUs. */
  readonly size: Float64Array;
  /** Whole GPUs. */
  readonly whole: number;
  /** Millionths of one GPU; 0: none. */
  readonly share: number;
  readonly count: number;
  readonly classes: readonly JobClass[];
};
