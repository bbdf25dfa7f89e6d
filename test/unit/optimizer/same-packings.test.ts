import { describe, expect, test } from "vitest";
import { lowerBound } from "../../../lib/optimizer/bounds/bound.ts";
import { Pricing } from "../../../lib/optimizer/bounds/pricing.ts";
import { ColumnGeneration } from "../../../lib/optimizer/engines/column-generation.ts";
import { type BinPacking, isBetter } from "../../../lib/optimizer/engines/packing.ts";
import { Counted, stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import { type Instance, instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { FreeNode, NamedJob } from "../../../lib/optimizer/problem/problem.ts";
import { createEngines, engineNames } from "../../../lib/optimizer/search/engines.ts";
import { madeFleet } from "../../bench/fleet/data.ts";

const dimensions = ["vcpus", "memoryGiB"];
const onDemand = madeFleet("on-demand", 50);
const spot = madeFleet("spot", 50);

const node = (name: string, of: { gpus?: number; warm?: readonly string[] } = {}): FreeNode => ({
  name,
  room: [24, 100],
  type: "g5.8xlarge",
  zone: "a",
  market: "on-demand",
  gpu: of.gpus ? { model: "a10g", memoryGiB: 24 } : undefined,
  gpusFree: of.gpus ? new Array<number>(of.gpus).fill(1) : undefined,
  warm: of.warm,
});

const withData = (job: NamedJob, index: number): NamedJob => (index % 3 === 0 ? { ...job, data: { images: 40 + index } } : job);

/** Problems in which different parts of the engines matter. */
const instances: Readonly<Record<string, Instance>> = {
  "unlimited offers": instanceOf({ dimensions, jobs: classesOf(onDemand.jobs), nodes: [], offers: onDemand.offers }),
  "eight instances of each offer": instanceOf({
    dimensions,
    jobs: classesOf(spot.jobs),
    nodes: [],
    offers: spot.offers.map((offer) => ({ ...offer, most: 8, interruptionsPerHour: 0.05 })),
  }),
  "free nodes and data": instanceOf({
    dimensions,
    jobs: classesOf(spot.jobs.map(withData)),
    nodes: [node("n1"), node("n2", { gpus: 2 }), node("n3", { gpus: 1, warm: ["images"] })],
    offers: spot.offers,
    terms: { usdPerGiB: 0.02 },
  }),
};

const rounded = (value: number): number => Number(value.toPrecision(9));
const shown = ({ cost, waits }: BinPacking): string => `${rounded(cost)}${waits > 0 ? `, ${waits} wait` : ""}`;

/** Returns the best packing after some of the slices, with the steps that were taken until then. Each packing is checked. */
function trajectory(name: (typeof engineNames)[number], instance: Instance, seed: number): readonly string[] {
  const pricing = new Pricing(instance);
  const columns = new ColumnGeneration(pricing);
  let best = columns.greedy();
  const engine = createEngines([name], { pricing, columns, seed, solve: undefined }).get(name);
  const lines = [`greedy: ${shown(best)}`];
  let [steps, bound] = [0, 0];
  for (let slice = 1; slice <= 45; slice += 1) {
    const done = engine?.improve(best);
    if (!done) break;
    if (done.packing) expectWithinInstance(done.packing, instance);
    if (done.packing && isBetter(done.packing, best)) best = done.packing;
    steps += done.steps;
    bound = Math.max(bound, done.bound ?? 0);
    if ([1, 4, 14, 45].includes(slice) || done.isDone) lines.push(`${slice}: ${shown(best)}, ${steps} steps, bound ${rounded(bound)}`);
    if (done.isDone) break;
  }
  return lines;
}

/** No kind may have more bins than there are, and no job may be lost or placed twice. */
function expectWithinInstance({ bins, waiting }: BinPacking, { kinds, shapes }: Instance): void {
  const [used, placed] = [new Float64Array(kinds.length), Float64Array.from(waiting)];
  for (const bin of bins) {
    used[bin.kind] = (used[bin.kind] ?? 0) + bin.times;
    for (const [at, shape] of bin.shapes.entries()) placed[shape] = (placed[shape] ?? 0) + bin.times * (bin.counts[at] ?? 0);
  }
  expect(kinds.filter(({ most }, kind) => (used[kind] ?? 0) > most)).toEqual([]);
  expect([...placed]).toEqual(shapes.map(({ count }) => count));
}

// The same problem and seed must give the same plan in every release, unless an engine is changed on purpose. Then update the snapshot, and
// measure the change with `npm run bench -- fleet-cost`.
describe.each(Object.entries(instances))("with %s", (_, instance) => {
  test.each(engineNames)("what the engine %s finds is as before", (name) => {
    expect(Object.fromEntries([1, 2].map((seed) => [`seed ${seed}`, trajectory(name, instance, seed)]))).toMatchSnapshot();
  });

  test("what the lower bound proves with few and with many steps is as before", () => {
    const counts = Float64Array.from(instance.shapes, ({ count }) => count);
    const proven = [1, 20_000, 200_000].map((steps) => {
      const budget = new Counted(stepBudget(steps));
      return `${rounded(lowerBound(instance, counts, { known: [], budget }))} after ${budget.enough} steps`;
    });
    expect(proven).toMatchSnapshot();
  });
});
