import { unmet } from "../../model/wants.ts";
import { conditionsOf } from "../problem/match.ts";
import type { JobClass, Supply } from "../problem/problem.ts";
import type { Reason, Waiting } from "./solution.ts";

/** The rest of the problem's limits and of each offer, after all placed jobs. */
export type Rest = {
  readonly limits: ReadonlyMap<string, number>;
  readonly offers: ReadonlyMap<string, number>;
  readonly dimensions: readonly string[];
};

/** Returns why jobs of this class wait: the reasons of the offer that needs the fewest changes and, among those, costs least. */
export function whyWaiting(job: JobClass, offers: readonly Supply[], rest: Rest): Omit<Waiting, "jobs"> {
  let best: { offer: Supply; reasons: readonly Reason[] } | undefined;
  for (const offer of offers) {
    const reasons = between(job, offer, rest);
    if (!best || isFewer({ offer, reasons }, best)) best = { offer, reasons };
  }
  if (!best) return { reasons: [{ kind: "no offers" }] };
  const nodes = job.nodes ?? 1;
  return { reasons: best.reasons, change: { offer: best.offer.name, usdPerHour: nodes * best.offer.usdPerHour } };
}

type Option = { readonly offer: Supply; readonly reasons: readonly Reason[] };
function isFewer(a: Option, b: Option): boolean {
  const order = a.reasons.length - b.reasons.length || a.offer.usdPerHour - b.offer.usdPerHour || (a.offer.name < b.offer.name ? -1 : 1);
  return order < 0;
}

/** Returns all reasons that keep the job from this offer. */
function between(job: JobClass, offer: Supply, rest: Rest): readonly Reason[] {
  const nodes = job.nodes ?? 1;
  const reasons: Reason[] = [];
  for (const name of unmet(conditionsOf(job), offer, offer)) if (name !== "gpu") reasons.push({ kind: name });
  reasons.push(...gpuReasons(job, offer));
  for (const [dimension, wanted] of job.size.entries()) {
    const there = offer.capacity[dimension] ?? 0;
    if (wanted > there + 1e-9) reasons.push({ kind: "size", of: rest.dimensions[dimension] ?? `${dimension}`, wanted, there });
  }
  const available = rest.offers.get(offer.name) ?? Number.POSITIVE_INFINITY;
  if (available < nodes) reasons.push({ kind: "capacity", wanted: nodes, there: available });
  for (const [limit, there] of rest.limits) {
    const wanted = nodes * (offer.uses?.[limit] ?? 0);
    if (wanted > there + 1e-9) reasons.push({ kind: "limit", of: limit, wanted, there });
  }
  return reasons;
}

function gpuReasons({ gpu }: JobClass, offer: Supply): readonly Reason[] {
  if (!gpu || gpu.count === 0) return [];
  const there = offer.gpu?.count ?? 0;
  if (!offer.gpu || gpu.count > there) return [{ kind: "gpus", wanted: gpu.count, there }];
  const reasons: Reason[] = [];
  const { model, memoryGiB } = offer.gpu;
  if (gpu.models?.length && !gpu.models.some((each) => each.toLowerCase() === model.toLowerCase())) reasons.push({ kind: "model" });
  if ((gpu.memoryGiB ?? 0) > memoryGiB) reasons.push({ kind: "gpu memory", wanted: gpu.memoryGiB ?? 0, there: memoryGiB });
  return reasons;
}
