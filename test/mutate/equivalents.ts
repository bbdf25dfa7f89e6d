import type { Equivalent } from "./mutant.ts";

/** Mutants that change nothing that a caller can observe. */
export const equivalents: readonly Equivalent[] = [
  {
    path: "lib/worker/program/command.ts",
    was: 'signal?.addEventListener("abort", stop, { once: true });',
    becomes: 'signal?.addEventListener("abort", stop, { once: false });',
    because: "a signal is aborted at most once",
  },
  {
    path: "lib/cli/views/decision-id.ts",
    was: "while (other !== undefined && length < id.length && id[length] === other[length]) length += 1;",
    becomes: "while (other !== undefined && (length <= id.length) && id[length] === other[length]) length += 1;",
    because: "the ids differ, so one of them ends or differs at the length of the shorter one at the latest",
  },
  {
    path: "lib/optimizer/engines/all-loads.ts",
    was: "tried.add(left);",
    becomes: ";",
    because: "GPUs with the same room are alike, so trying them again only takes time",
  },
];
