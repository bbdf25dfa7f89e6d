import type { Random } from "../../../lib/optimizer/engines/random.ts";
import type { NamedJob, Supply } from "../../../lib/optimizer/problem/problem.ts";

/** A bin of the rivals: what is free of each dimension, and of each GPU. */
export type Bin = { readonly offer: Supply; readonly free: number[]; readonly gpus: number[] };

const slack = 1e-9;
const gpusOf = (job: NamedJob): number => job.gpu?.count ?? 0;

export function holds({ free, gpus }: Pick<Bin, "free" | "gpus">, job: NamedJob): boolean {
  for (let dimension = 0; dimension < free.length; dimension += 1)
    if ((job.size[dimension] as number) > (free[dimension] as number) + slack) return false;
  const wanted = gpusOf(job);
  if (wanted === 0) return true;
  if (wanted < 1) return gpus.some((left) => left >= wanted - slack);
  return gpus.filter((left) => left >= 1 - slack).length >= wanted;
}

export function put({ free, gpus }: Bin, job: NamedJob): void {
  for (let dimension = 0; dimension < free.length; dimension += 1)
    free[dimension] = (free[dimension] as number) - (job.size[dimension] as number);
  let wanted = gpusOf(job);
  if (wanted > 0 && wanted < 1) {
    const fitting = gpus.flatMap((left, slot) => (left >= wanted - slack ? [{ left, slot }] : [])).sort((a, b) => a.left - b.left);
    const slot = fitting[0]?.slot ?? 0;
    gpus[slot] = (gpus[slot] as number) - wanted;
    return;
  }
  for (let slot = 0; slot < gpus.length && wanted > 0; slot += 1) {
    if ((gpus[slot] as number) < 1 - slack) continue;
    gpus[slot] = 0;
    wanted -= 1;
  }
}

export const emptyBin = (offer: Supply): Bin => ({
  offer,
  free: [...offer.capacity],
  gpus: Array.from({ length: offer.gpu?.count ?? 0 }, () => 1),
});
export const byPrice = (a: Supply, b: Supply): number => a.usdPerHour - b.usdPerHour || (a.name < b.name ? -1 : 1);
/** Sorts the largest jobs first, by GPUs, then vCPUs, then memory. */
const bySize = (a: NamedJob, b: NamedJob): number =>
  gpusOf(b) - gpusOf(a) || (b.size[0] ?? 0) - (a.size[0] ?? 0) || (b.size[1] ?? 0) - (a.size[1] ?? 0) || (a.name < b.name ? -1 : 1);

type Choice = (bins: readonly Bin[], job: NamedJob) => Bin | undefined;

/** Puts each job in the open bin that the rule chooses, or in a new one of the cheapest offer that holds it. Returns dollars per hour. */
function packed(jobs: readonly NamedJob[], offers: readonly Supply[], choose: Choice): number {
  const cheapest = offers.toSorted(byPrice).map(emptyBin);
  const bins: Bin[] = [];
  let usd = 0;
  for (const job of jobs) {
    let bin = choose(bins, job);
    if (!bin) {
      const found = cheapest.find((each) => holds(each, job));
      if (!found) throw new Error(`no offer holds ${job.name}`);
      bin = emptyBin(found.offer);
      bins.push(bin);
      usd += bin.offer.usdPerHour;
    }
    put(bin, job);
  }
  return usd;
}

/** First-fit decreasing, as in textbooks. */
export const firstFitDecreasing = (jobs: readonly NamedJob[], offers: readonly Supply[]): number =>
  packed(jobs.toSorted(bySize), offers, (bins, job) => bins.find((bin) => holds(bin, job)));

/** Best-fit decreasing: chooses the bin with least left, as shares of its capacity. */
export function bestFitDecreasing(jobs: readonly NamedJob[], offers: readonly Supply[]): number {
  const left = ({ offer, free, gpus }: Bin): number =>
    free.reduce((sum, each, dimension) => sum + each / (offer.capacity[dimension] ?? 1), 0) +
    gpus.reduce((sum, each) => sum + each, 0) / Math.max(1, gpus.length);
  return packed(jobs.toSorted(bySize), offers, (bins, job) => {
    let best: Bin | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const bin of bins) {
      const each = left(bin);
      if (each < least && holds(bin, job)) [best, least] = [bin, each];
    }
    return best;
  });
}

/** Puts jobs in random order, each in the first of up to eight randomly drawn open bins that holds it. */
export function atRandom(jobs: readonly NamedJob[], offers: readonly Supply[], random: Random): number {
  const shuffled = jobs
    .map((job) => ({ job, turn: random() }))
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ job }) => job);
  return packed(shuffled, offers, (bins, job) => {
    for (let draw = 0; draw < 8; draw += 1) {
      const bin = bins[Math.floor(random() * bins.length)];
      if (bin && holds(bin, job)) return bin;
    }
    return undefined;
  });
}
