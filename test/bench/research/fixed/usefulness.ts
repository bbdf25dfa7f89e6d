import { type Demand, gpuTotal, isShared, type Need, wholeGpu } from "./needs.ts";
import { accepts, type Shape } from "./shapes.ts";
import { fillOf } from "./slivers.ts";

/**
 * What the parts of usefulness weigh. Found on workloads that no benchmark scores; half or twice of each changes the GPUs
 * in use by a tenth of a percent.
 */
const weights = {
  /** So many more of this kind, if none but these came. */
  allOfIt: 1,
  /** One more of it. */
  oneOfIt: 0.5,
  /** What is left of all GPUs that it could go on. */
  reachable: 1,
  /** What those who share GPUs would fill of each, one after the other. */
  filled: 4,
} as const;

/**
 * How much of what is free in a shape the jobs that are to come can still use, in thousandths of GPUs with a weight. A job
 * is best put where this falls least: where it takes what others could not have used, leaves no vCPUs without a GPU nor
 * GPUs without vCPUs, keeps whole nodes whole, and leaves rests of GPUs that others fill.
 *
 * The expectation over kinds of jobs, and GPUs that a kind can reach, follow Q. Weng et al., "Beware of Fragmentation:
 * Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023. Theirs asks of each kind whether
 * one fits; here it counts how many would, by vCPUs too, and what becomes of the rests.
 */
export function usefulnessFor(demand: Demand): (shape: Shape) => number {
  const sizes = sizesOf(demand);
  const fills = new Map<string, readonly number[]>();
  const known: number[] = [];
  const usefulness = (shape: Shape): number => {
    const fill = fills.get(shape.model) ?? fillOf(demand, shape.model);
    fills.set(shape.model, fill);
    const filled = shape.gpus.reduce((sum, free) => sum + (fill[Math.floor(free / 10)] ?? 0), 0);
    return sizes.reduce((sum, size) => sum + usedBy(size, shape), weights.filled * filled);
  };
  return (shape) => {
    const value = known[shape.number] ?? usefulness(shape);
    known[shape.number] = value;
    return value;
  };
}

/** Kinds that take the same of GPUs and differ in vCPUs, those with the fewest first. */
type Size = { readonly need: Need; readonly kinds: readonly { readonly vcpuMilli: number; readonly share: number }[] };

function sizesOf(demand: Demand): readonly Size[] {
  const all = demand.reduce((sum, { count }) => sum + count, 0);
  const bySize = Map.groupBy(
    demand.filter(({ need, count }) => need.gpus > 0 && count > 0),
    ({ need }) => `${need.gpus}/${need.gpuMilli}/${need.models.join("|")}`,
  );
  return [...bySize.values()].flatMap((alike) => {
    const [first] = alike;
    if (!first) return [];
    const byVcpus = Map.groupBy(alike, ({ need }) => need.vcpuMilli);
    const kinds = [...byVcpus].map(([vcpuMilli, same]) => ({ vcpuMilli, share: same.reduce((sum, { count }) => sum + count, 0) / all }));
    return [{ need: first.need, kinds: kinds.sort((a, b) => a.vcpuMilli - b.vcpuMilli) }];
  });
}

function usedBy({ need, kinds }: Size, shape: Shape): number {
  if (!accepts(shape, need)) return 0;
  const { places, reachable } = isShared(need) ? sharedPlaces(need, shape) : wholePlaces(need, shape);
  if (places === 0) return 0;
  const each = gpuTotal(need);
  let sum = 0;
  for (const { vcpuMilli, share } of kinds) {
    if (vcpuMilli > shape.vcpuMilli) break;
    const many = vcpuMilli === 0 ? places : Math.min(places, shape.vcpuMilli / vcpuMilli);
    sum += share * (each * (weights.allOfIt * many + weights.oneOfIt) + weights.reachable * reachable);
  }
  return sum;
}

type Places = { readonly places: number; readonly reachable: number };

function sharedPlaces({ gpuMilli }: Need, { gpus }: Shape): Places {
  let places = 0;
  let reachable = 0;
  for (const free of gpus) {
    if (free < gpuMilli) continue;
    places += gpuMilli === 0 ? 1 : Math.floor(free / gpuMilli);
    reachable += free;
  }
  return { places, reachable };
}

function wholePlaces(need: Need, { gpus }: Shape): Places {
  const whole = gpus.filter((free) => free === wholeGpu).length;
  const places = Math.floor(whole / need.gpus);
  return { places, reachable: places > 0 ? whole * wholeGpu : 0 };
}
