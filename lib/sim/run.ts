import type { FaultKind } from "./faults/faults.ts";
import type { SimPorts } from "./faults/ports.ts";
import type { ReachedStates } from "./faults/reached.ts";
import type { Site } from "./faults/sites.ts";
import type { Invariant, Watch } from "./invariants/invariant.ts";
import { invariants } from "./invariants.ts";
import type { CpuMeter } from "./load/cpu-meter.ts";
import type { LargestItem } from "./load/item-sizes.ts";
import type { Fact } from "./world/facts.ts";
import type { Scenario } from "./world/scenario.ts";
import { World } from "./world/world.ts";

/** A broken invariant. */
export type Violation = {
  readonly invariant: Pick<Invariant, "number" | "name" | "says">;
  readonly wrong: string;
  /** Virtual seconds since the run began. */
  readonly atSecond: number;
  /** The last events before the violation. */
  readonly story: readonly string[];
};

export type RunOptions = {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly sites: readonly Site[];
  readonly only?: ReadonlySet<FaultKind> | undefined;
  readonly plant?: ((ports: SimPorts, world: World) => Partial<SimPorts>) | undefined;
  /** Measures the processor time that decisions take; undefined to measure nothing. It is no part of the result, which repeats exactly. */
  readonly meter?: CpuMeter | undefined;
  /** Resolves when everything in progress waits for the clock. */
  readonly settled: () => Promise<void>;
};

export type RunResult = {
  readonly seed: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly events: number;
  readonly virtualMinutes: number;
  readonly hit: ReadonlySet<string>;
  readonly reached: ReachedStates;
  readonly redriven: number;
  readonly jobs: Readonly<Record<string, number>>;
  readonly largestItem: LargestItem;
  readonly violation?: Violation | undefined;
};

/** Everything that an unreadable item does not hold up must be done this long after the last fault. */
const unreadableMinutes = 90;

/** Machines that hang are ended one after another, because few nodes of a pool and zone are ended for silence in an hour. */
const nextDeathMs = 3_600_000;

/** The system must stay at rest for this long. */
const restMs = 10 * 60_000;

/** Runs a scenario once: with faults for its duration, then calm until nothing is left to do, then at rest. It checks throughout. */
export async function runOnce(options: RunOptions): Promise<RunResult> {
  const { scenario, seed, settled } = options;
  const found: { violation?: Violation } = {};
  const watches: { readonly invariant: Invariant; readonly watch: Watch }[] = [];
  const check = (look: (watch: Watch) => string | undefined): void => {
    for (const { invariant, watch } of watches) {
      if (found.violation) return;
      const wrong = look(watch);
      if (wrong === undefined) continue;
      const { number, name, says } = invariant;
      world.note(`✗ ${wrong}`);
      found.violation = {
        invariant: { number, name, says },
        wrong,
        atSecond: (world.clock.nowMs - startMs) / 1000,
        story: world.story.lines,
      };
    }
  };
  const emit = (fact: Fact): void => check((watch) => watch.on?.(fact));
  const world = new World({ ...options, emit });
  const startMs = world.clock.nowMs;
  for (const invariant of invariants) watches.push({ invariant, watch: invariant.watch(() => world.seen) });

  let events = 0;
  const goOnUntil = async (untilMs: number, isDone: () => boolean = () => false): Promise<void> => {
    while (!found.violation && !isDone()) {
      const nextMs = world.clock.nextMs;
      if (nextMs === undefined || nextMs > untilMs) return;
      world.clock.step();
      events += 1;
      await settled();
    }
  };
  world.begin();
  await settled();
  await goOnUntil(startMs + scenario.minutes * 60_000);
  world.calmDown();
  let redriven = world.redrive();
  if (world.spoiled.item) {
    await goOnUntil(world.clock.nowMs + unreadableMinutes * 60_000, () => world.areOthersDone);
    if (world.spoiled.item) await world.lookAtProblems();
    check((watch) => watch.beforeRepair?.());
    world.repair();
    redriven += world.redrive();
  }
  const latestMs = world.clock.nowMs + scenario.calmMinutes * 60_000 + (Math.max(1, world.hung) - 1) * nextDeathMs;
  await goOnUntil(latestMs, () => world.isAtRest);
  check((watch) => watch.atRest?.());
  if (!found.violation) {
    await goOnUntil(world.clock.nowMs + restMs);
    check((watch) => watch.afterRest?.());
  }
  const jobs: Record<string, number> = {};
  for (const { state } of world.ledger.table.jobs.values()) jobs[state] = (jobs[state] ?? 0) + 1;
  const virtualMinutes = (world.clock.nowMs - startMs) / 60_000;
  const [faults, hit, largestItem] = [world.faults.counts, world.kills.hit, world.sizes.largest];
  const reached = world.reached.states;
  return { seed, faults, events, virtualMinutes, hit, reached, redriven, jobs, largestItem, violation: found.violation };
}
