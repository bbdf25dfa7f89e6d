import { byTurn, jobName, type QueueEntry } from "../../model/job.ts";
import type { Reservation } from "../../model/launch.ts";
import { offerName } from "../../model/offer.ts";
import type { Learned, Packing } from "../../model/plan.ts";
import { exactly, isWithin, less, plus, reservedBy } from "../../model/reservations.ts";
import { allows, wantsOf } from "../../model/wants.ts";
import { stepBudget } from "../../optimizer/problem/budget.ts";
import { classesOf } from "../../optimizer/problem/classes.ts";
import type { NamedJob, Supply } from "../../optimizer/problem/problem.ts";
import { optimize } from "../../optimizer/search/optimize.ts";
import type { Solution } from "../../optimizer/search/solution.ts";
import { triedBy } from "../health/breaker.ts";
import { type AvailableOffers, type Bundle, emptyBundle, extended, maxPlaces, placesOf } from "./bundles.ts";
import { after, type Leeway, leftFor } from "./leeway.ts";
import { afterPacking, boundSteps, type PackingBudget, packingBudget, stepsFor } from "./packing-budget.ts";
import type { PlacementView } from "./placement-state.ts";

/**
 * Packs the jobs that will share new nodes again, with the optimizer, and keeps the packing that costs less. First fit decides which jobs
 * have a place within the limits; this decides which jobs share a node. Gangs stay as they are, and so do bundles that try a place that did
 * not boot. Also returns the packing's cost, its lower bound, and what was learned in addition to `learned`; undefined if nothing can be
 * packed. All teams share one budget of steps.
 */
export function repack(state: PlacementView, learned?: Learned): Repacked {
  const movable = state.bundles.filter((bundle) => bundle.count === 1 && triedBy(bundle.offers, state.broken).length === 0);
  if (movable.length === 0) return { bundles: state.bundles };
  // A packing may name an offer many times, so it must not try a place that did not boot.
  const available = state.availableFor(1).filter(({ offer }) => triedBy([offer], state.broken).length === 0);
  const teams: TeamRepacked[] = [];
  for (const bundles of Map.groupBy(movable, ({ team }) => team).values()) {
    const { leeway, learned: known, budget } = teams.at(-1) ?? { leeway: state.leeway, learned, budget: packingBudget(costOf(movable)) };
    teams.push(repacked(bundles, { available, leeway, learned: known, budget }));
  }
  const moved = new Set(movable);
  const kept = state.bundles.filter((bundle) => !moved.has(bundle));
  const packing = summed(teams.map((each) => each.packing));
  return {
    bundles: [...kept, ...teams.flatMap(({ bundles }) => bundles)].sort(byFirst),
    packed: packing && { packing, learned: teams.at(-1)?.learned ?? {} },
  };
}

/** How jobs were packed, and what the optimizer has learned, including this. */
export type PackingResult = { readonly packing: Packing; readonly learned: Learned };
type Repacked = { readonly bundles: readonly Bundle[]; readonly packed?: PackingResult | undefined };
/** `leeway`: what the next team's packing may reserve in addition to the bundles. `budget`: what is left for the next teams. */
type TeamRepacked = PackingResult & { readonly bundles: readonly Bundle[]; readonly leeway: Leeway; readonly budget: PackingBudget };

type Repacking = {
  readonly available: AvailableOffers;
  readonly leeway: Leeway;
  readonly learned: Learned | undefined;
  readonly budget: PackingBudget;
};

function repacked(before: readonly Bundle[], { available, leeway, learned, budget }: Repacking): TeamRepacked {
  const team = before[0]?.team;
  const room = plus(leftFor(team, leeway), reservedFor(before));
  const entries = before.flatMap((bundle) => bundle.entries).sort(byTurn);
  const solution = optimized(entries, { available, room, learned, steps: stepsFor(costOf(before), budget) });
  const found = bundlesOf(solution, entries, { available, room, team });
  const isCheaper = found !== undefined && costOf(found) < costOf(before) - 1e-9;
  const bundles = isCheaper ? found : before;
  const usdPerHour = costOf(bundles);
  const packing = {
    engine: isCheaper ? solution.engine : "first fit",
    usdPerHour,
    boundUsdPerHour: Math.min(usdPerHour, exactly(solution.waiting.length === 0 ? solution.boundUsd : 0)),
    steps: solution.steps,
  };
  return {
    bundles,
    packing,
    learned: solution.learned,
    leeway: after(leeway, team, less(reservedFor(bundles), reservedFor(before))),
    budget: afterPacking(budget, { usdPerHour: costOf(before), steps: solution.steps }),
  };
}

export const reservedFor = (bundles: readonly Bundle[]): Reservation =>
  bundles.reduce((sum, { reserved }) => plus(sum, reserved), { usdPerHour: 0, gpus: 0 });
const costOf = (bundles: readonly Bundle[]): number => exactly(bundles.reduce((sum, { usdPerHour }) => sum + usdPerHour, 0));

/** Returns a job as the optimizer sees it. Its datasets make no difference here, because new nodes hold no data. */
function toBePacked(entry: QueueEntry): NamedJob {
  const { needs, gpu, nodes: _one, datasets: _new, ...conditions } = wantsOf(entry);
  return {
    ...conditions,
    name: jobName(entry),
    size: [needs.vcpus, needs.memoryGiB, placesOf(entry)],
    gpu: needs.gpus > 0 ? { ...gpu, count: needs.gpus } : undefined,
  };
}

/** Returns the optimizer's packing of these jobs on offers that hold any of them and that the pool may reserve. */
function optimized(
  entries: readonly QueueEntry[],
  { available, room, learned, steps }: Pick<Repacking, "available" | "learned"> & { readonly room: Reservation; readonly steps: number },
): Solution {
  const offers = available
    .filter((bought) => isWithin(reservedBy(bought), room))
    .filter(({ offer, type }) => entries.some((entry) => allows(entry, offer, type)))
    .map(
      ({ offer, type: { resources, gpu } }): Supply => ({
        name: offerName(offer),
        type: offer.instanceType,
        zone: offer.zone,
        market: offer.market,
        usdPerHour: offer.usdPerHour,
        capacity: [resources.vcpus, resources.memoryGiB, maxPlaces],
        gpu: gpu && resources.gpus > 0 ? { ...gpu, count: resources.gpus } : undefined,
      }),
    );
  const problem = { dimensions: ["vCPUs", "GiB of memory", "places"], jobs: classesOf(entries.map(toBePacked)), nodes: [], offers };
  return optimize(problem, { budget: stepBudget(steps), boundBudget: stepBudget(boundSteps(steps)), seed: 1, learned });
}

/** Builds the optimizer's bundles by the rules of launches; returns undefined if the jobs do not fit, or not within the room. */
function bundlesOf(
  solution: Solution,
  entries: readonly QueueEntry[],
  { available, room, team }: { available: AvailableOffers; room: Reservation; team: string | undefined },
): readonly Bundle[] | undefined {
  if (solution.waiting.length > 0) return undefined;
  const named = new Map(entries.map((entry) => [jobName(entry), entry]));
  const bundles: Bundle[] = [];
  let rest = room;
  for (const { jobs } of solution.purchases) {
    let bundle = emptyBundle(team, available);
    for (const entry of jobs.flatMap((job) => named.get(job) ?? []).sort(byTurn)) {
      const more = extended(bundle, entry, rest);
      if (typeof more === "string") return undefined;
      bundle = more;
    }
    rest = less(rest, bundle.reserved);
    bundles.push(bundle);
  }
  return bundles;
}

/** Bundles have the turn of their first jobs. */
function byFirst({ entries: [a] }: Bundle, { entries: [b] }: Bundle): number {
  return a && b ? byTurn(a, b) : 0;
}

function summed(packings: readonly Packing[]): Packing | undefined {
  const [first, ...others] = packings.toSorted((a, b) => b.usdPerHour - a.usdPerHour);
  return others.reduce<Packing | undefined>(
    (sum, each) =>
      sum && {
        // The engine of the most expensive team.
        engine: sum.engine,
        usdPerHour: exactly(sum.usdPerHour + each.usdPerHour),
        boundUsdPerHour: exactly(sum.boundUsdPerHour + each.boundUsdPerHour),
        steps: sum.steps + each.steps,
      },
    first,
  );
}
