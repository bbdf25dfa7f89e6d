import type { Experience, Learned } from "../../model/plan.ts";
import type { Instance } from "../problem/instance.ts";
import { type EngineName, engineDefinitions, isEngineName } from "./engines.ts";

const maxSorts = 64;
/** The number of tries that count. Older ones fade, so that the statistics can adapt. */
const maxTries = 400;
/** The weight of the rules against what was learned, in tries, and the bonus for engines that were seldom tried. */
const [trustInRules, curiosity] = [4, 0.15];

/** Returns the sort of an instance: about how many jobs and shapes it has, and whether it has shares of GPUs and existing nodes. */
export function sortOf({ shapes, kinds }: Instance): string {
  const jobs = shapes.reduce((sum, shape) => sum + shape.count, 0);
  const size = (count: number): number => Math.round(Math.log10(Math.max(1, count)) * 2) / 2;
  const shares = shapes.some((shape) => shape.share > 0) ? "shares" : "whole";
  const nodes = kinds.some((kind) => kind.price === 0) ? "nodes" : "empty";
  return `jobs 1e${size(jobs)}, shapes 1e${size(shapes.length)}, ${shares}, ${nodes}`;
}

/**
 * Chooses engines by rule-based reinforcement learning: rules give the first expectations, rewards (the savings per slice of work) correct
 * them, and engines that were seldom tried get a small bonus. It uses no random numbers.
 */
export class Policy {
  readonly #sort: string;
  readonly #jobs: number;
  readonly #before: Learned;
  readonly #experience: Map<EngineName, Experience>;

  constructor(instance: Instance, learned: Learned = {}) {
    this.#sort = sortOf(instance);
    this.#jobs = instance.shapes.reduce((sum, shape) => sum + shape.count, 0);
    this.#before = learned;
    const known = Object.entries(learned[this.#sort] ?? {}).flatMap(([name, each]) => (isEngineName(name) ? [[name, each] as const] : []));
    this.#experience = new Map(known);
  }

  choose(engines: readonly EngineName[]): EngineName | undefined {
    const total = engines.reduce((sum, each) => sum + this.#of(each).tries, 1);
    const score = (engine: EngineName): number => {
      const { tries, reward } = this.#of(engine);
      const expected = engineDefinitions[engine].expectedReward(this.#jobs);
      const mean = (reward + trustInRules * expected) / (tries + trustInRules);
      return mean + curiosity * Math.sqrt(Math.log(total) / (tries + 1));
    };
    return engines.toSorted((a, b) => score(b) - score(a) || (a < b ? -1 : 1))[0];
  }

  /** Records what a slice saved, as a share of the cost. A thousandth per hundred thousand steps earns the full reward. */
  reward(engine: EngineName, { saved, steps }: { saved: number; steps: number }): void {
    const { tries, reward } = this.#of(engine);
    const fade = tries >= maxTries ? (maxTries - 1) / maxTries : 1;
    const earned = Math.min(1, (Math.max(0, saved) * 1e8) / Math.max(1, steps));
    this.#experience.set(engine, { tries: tries * fade + 1, reward: reward * fade + earned });
  }

  /** Returns the statistics including those of this run. If there are too many sorts, the least tried ones are dropped. */
  learned(): Learned {
    const all = Object.entries({ ...this.#before, [this.#sort]: Object.fromEntries(this.#experience) });
    const tried = (of: Readonly<Record<string, Experience>>): number => Object.values(of).reduce((sum, each) => sum + each.tries, 0);
    const kept = all.toSorted(([a, of], [b, than]) => tried(than) - tried(of) || (a < b ? -1 : 1)).slice(0, maxSorts);
    return Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #of(engine: EngineName): Experience {
    return this.#experience.get(engine) ?? { tries: 0, reward: 0 };
  }
}
