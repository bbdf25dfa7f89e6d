import type { SolveProgram } from "../../model/planning/linear-program.ts";
import type { Pricing } from "../bounds/pricing.ts";
import type { ColumnGeneration } from "../engines/column-generation.ts";
import type { Engine } from "../engines/engine.ts";
import { ExactSetCovering } from "../engines/exact-set-covering.ts";
import { GroupingGenetic } from "../engines/grouping-genetic.ts";
import { type Random, seeded } from "../engines/random.ts";
import { type Ruin, RuinAndRecreate } from "../engines/ruin-and-recreate.ts";

/** The engines of every search. Decision records, stored statistics and `fleet plan` hold these names, so they do not change. */
export const engineNames = ["columns", "ruin-any-4", "ruin-worst-8", "genetic"] as const;
/** `exact` works in every search that is given a solver. */
export type EngineName = (typeof engineNames)[number] | "exact";

/** The parts from which engines are created. Column generation is shared, because its prices guide the other engines. */
export type EngineParts = {
  readonly pricing: Pricing;
  readonly columns: ColumnGeneration;
  readonly seed: number;
  readonly solve: SolveProgram | undefined;
};

/** All that depends on an engine's name. */
export type EngineDefinition = {
  /** Returns the reward that one slice of work should earn before anything is learned, by the number of jobs. */
  readonly expectedReward: (jobs: number) => number;
  /** Selects the engine's random numbers: unique, less than `streams`, and never changed, because plans follow from it. */
  readonly stream: number;
  /** Returns the engine, or undefined if it cannot work with these parts. */
  readonly create: (parts: EngineParts, random: Random) => Engine | undefined;
};

export type EngineDefinitions = Readonly<Record<EngineName, EngineDefinition>>;

/** Column generation pays off first if there are more than a few jobs. After that, exchanges of a few bins do. */
export const engineDefinitions: EngineDefinitions = {
  columns: { expectedReward: (jobs) => (jobs >= 5 ? 1 : 0.4), stream: 0, create: ({ columns }) => columns },
  "ruin-any-4": { expectedReward: rewardOfRuin, stream: 1, create: ruinAndRecreate({ choice: "any", bins: 4 }) },
  "ruin-worst-8": { expectedReward: rewardOfRuin, stream: 2, create: ruinAndRecreate({ choice: "worst", bins: 8 }) },
  genetic: {
    expectedReward: () => 0.1,
    stream: 3,
    create: ({ pricing, columns }, random) => new GroupingGenetic(pricing, { random, prices: () => columns.prices() }),
  },
  exact: { expectedReward: () => 2, stream: 4, create: ({ pricing, solve }) => solve && new ExactSetCovering(pricing.instance, solve) },
};

function rewardOfRuin(jobs: number): number {
  return jobs >= 5 ? 0.2 : 0.6;
}

function ruinAndRecreate(ruin: Ruin): EngineDefinition["create"] {
  return ({ pricing, columns }, random) => new RuinAndRecreate(pricing, { random, prices: () => columns.prices(), ruin });
}

/** Consecutive seeds are this far apart, so that no stream of one seed is a stream of another. */
export const streams = 31;

/** Returns the random numbers of an engine. They depend only on the seed and on the engine's own stream. */
export const randomOf = (name: EngineName, seed: number): Random => seeded(seed * streams + engineDefinitions[name].stream);

/** Creates those of the named engines that can work with these parts, and the exact one if it can. */
export function createEngines(names: readonly EngineName[], parts: EngineParts): Map<EngineName, Engine> {
  const created = new Map<EngineName, Engine>();
  for (const name of [...names, "exact"] as const) {
    const engine = engineDefinitions[name].create(parts, randomOf(name, parts.seed));
    if (engine) created.set(name, engine);
  }
  return created;
}

/** Reports whether this release has an engine of that name. Statistics that another release stored may name others. */
export const isEngineName = (name: string): name is EngineName => Object.hasOwn(engineDefinitions, name);
