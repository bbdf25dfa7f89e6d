import { type Mutation, mutated } from "./operators.ts";

/** A source file of the area, with its path from the root of the repository. */
export type SourceFile = { readonly path: string; readonly source: string };

/** A mutation with its place. `was` and `becomes` are the lines that it changes. */
export type Mutant = Mutation & { readonly path: string; readonly line: number; readonly was: string; readonly becomes: string };

export function mutantOf({ path, source }: SourceFile, mutation: Mutation): Mutant {
  const from = source.lastIndexOf("\n", mutation.start - 1) + 1;
  const to = source.indexOf("\n", mutation.end);
  const end = to < 0 ? source.length : to;
  const line = source.slice(0, mutation.start).split("\n").length;
  const local = { ...mutation, start: mutation.start - from, end: mutation.end - from };
  const was = source.slice(from, end);
  return { ...mutation, path, line, was, becomes: mutated(was, local) };
}

/** Returns the lines that change, like a diff. Lines that are equal at the begin and at the end are left out. */
export function diffOf({ was, becomes }: Pick<Mutant, "was" | "becomes">): readonly string[] {
  const [old, young] = [was.split("\n"), becomes.split("\n")];
  let first = 0;
  while (first < Math.min(old.length, young.length) && old[first] === young[first]) first += 1;
  let last = 0;
  while (last < Math.min(old.length, young.length) - first && old.at(-1 - last) === young.at(-1 - last)) last += 1;
  const shown = (lines: readonly string[], sign: string): string[] =>
    lines.slice(first, lines.length - last).map((line) => `${sign} ${line.trim()}`);
  return [...shown(old, "-"), ...shown(young, "+")];
}

/** A mutant that no test can notice, because the program behaves the same. It is found by its content, so it may move. */
export type Equivalent = { readonly path: string; readonly was: string; readonly becomes: string; readonly because: string };

const squeezed = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

export const isThe = ({ path, was, becomes }: Equivalent, mutant: Mutant): boolean =>
  path === mutant.path && squeezed(was) === squeezed(mutant.was) && squeezed(becomes) === squeezed(mutant.becomes);
