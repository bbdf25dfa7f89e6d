import type { Packing } from "./packing.ts";

/** A way to find better packings, a slice of work at a time, so that it can be stopped soon after any moment. */
export type Engine = {
  /** One slice of work, from the best packing that any engine has found. */
  readonly improve: (best: Packing) => Slice;
};

export type Slice = {
  /** What it found, better or not. */
  readonly packing: Packing | undefined;
  readonly steps: number;
  /** What is proven: no packing costs less. */
  readonly bound?: number | undefined;
  /** It has nothing more to try. */
  readonly isDone?: boolean | undefined;
};
