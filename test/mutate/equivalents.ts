import type { Equivalent } from "./mutant.ts";

/** Mutants that change nothing that a caller can observe. */
export const equivalents: readonly Equivalent[] = [
  {
    path: "lib/worker/program/command.ts",
    was: 'signal?.addEventListener("abort", stop, { once: true });',
    becomes: 'signal?.addEventListener("abort", stop, { once: false });',
    because: "a signal is aborted at most once",
  },
];
