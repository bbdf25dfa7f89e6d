import { describe, expect, test } from "vitest";
import { seeded } from "../../../lib/optimizer/engines/random.ts";
import {
  type EngineDefinition,
  type EngineDefinitions,
  type EngineName,
  engineDefinitions,
  engineNames,
  randomOf,
  streams,
} from "../../../lib/optimizer/search/engines.ts";

const names = [...engineNames, "exact"] as const satisfies readonly EngineName[];
const numbers = (random: () => number): readonly number[] => Array.from({ length: 5 }, random);

describe("an engine's definition", () => {
  test("the compiler demands a complete definition for every engine name", () => {
    const { genetic, ...others } = engineDefinitions;
    // @ts-expect-error: `genetic` is an engine and has no definition.
    const incomplete: EngineDefinitions = others;
    // @ts-expect-error: a new engine needs a definition.
    const withNew: Readonly<Record<EngineName | "arc-flow", EngineDefinition>> = engineDefinitions;
    // @ts-expect-error: a definition needs the rule that says when the engine is worth trying.
    const withoutRule: EngineDefinition = { stream: 5, create: genetic.create };
    // @ts-expect-error: a definition needs a stream of random numbers.
    const withoutStream: EngineDefinition = { expectedReward: genetic.expectedReward, create: genetic.create };
    expect([incomplete, withNew, withoutRule, withoutStream]).toHaveLength(4);
  });

  test("every engine keeps its stream of random numbers in every release, so that the same seed gives the same plans", () => {
    expect(Object.fromEntries(names.map((name) => [name, engineDefinitions[name].stream]))).toEqual({
      columns: 0,
      "ruin-any-4": 1,
      "ruin-worst-8": 2,
      genetic: 3,
      exact: 4,
    });
  });

  test("every engine has a stream of random numbers of its own, which no other seed uses either", () => {
    const used = names.map((name) => engineDefinitions[name].stream);
    expect(new Set(used).size).toBe(used.length);
    for (const stream of used) expect(stream >= 0 && stream < streams && Number.isInteger(stream)).toBe(true);
  });
});

test.each(names)("the random numbers of %s depend only on its own stream and the seed, not on the order of engines", (name) => {
  for (const seed of [1, 2, 77]) expect(numbers(randomOf(name, seed))).toEqual(numbers(seeded(seed * 31 + engineDefinitions[name].stream)));
});
