import { seeded } from "../../lib/optimizer/engines/random.ts";
import { type Mutant, mutantOf, type SourceFile } from "./mutant.ts";
import { mutationsOf } from "./operators.ts";

/** More mutants than this of one file would say more about the file than about the area. */
const maxPerFile = 3;

/**
 * Draws mutants without repetition until there are none left. An operator is drawn with the square root of the number of its places
 * as its weight, so that rare operators are drawn too. The same files and the same seed give the same mutants.
 */
export function* draw(files: readonly SourceFile[], seed: number): Generator<Mutant, void, "refused" | undefined> {
  const random = seeded(seed);
  const places = Map.groupBy(
    files.toSorted((a, b) => (a.path < b.path ? -1 : 1)).flatMap((file) => mutationsOf(file.source).map((each) => mutantOf(file, each))),
    ({ operator }) => operator,
  );
  const drawn = new Map<string, number>();
  while (places.size > 0) {
    const weights = [...places.values()].map(({ length }) => Math.sqrt(length));
    const kind = [...places.keys()][at(weights, random())] as Mutant["operator"];
    const left = places.get(kind) as Mutant[];
    const [mutant] = left.splice(Math.floor(random() * left.length), 1) as [Mutant];
    if (left.length === 0) places.delete(kind);
    const ofFile = drawn.get(mutant.path) ?? 0;
    if (ofFile >= maxPerFile) continue;
    const wanted = yield mutant;
    if (wanted !== "refused") drawn.set(mutant.path, ofFile + 1);
  }
}

/** Returns the index that a number in [0, 1) falls on, if each index has its weight. */
function at(weights: readonly number[], fraction: number): number {
  let left = fraction * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}
