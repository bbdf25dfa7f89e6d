import type { Equivalent } from "./mutant.ts";

/** Mutants that change nothing that a caller can observe. */
export const equivalents: readonly Equivalent[] = [];
