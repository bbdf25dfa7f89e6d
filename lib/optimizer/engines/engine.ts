import type { BinPacking } from "./packing.ts";

/** A way to find better packings. It works in short slices, so that the search can stop it soon at any time. */
export type Engine = {
  /** Does one slice of work. `best` is the best packing that any engine has found. */
  readonly improve: (best: BinPacking) => Slice;
};

export type Slice = {
  /** The packing that it found, better or not. Undefined if it found none. */
  readonly packing: BinPacking | undefined;
  readonly steps: number;
  /** A proven lower bound on the cost of every packing. Undefined if the slice proves none. */
  readonly bound?: number | undefined;
  /** True if the engine has nothing more to try. */
  readonly isDone?: boolean | undefined;
};
