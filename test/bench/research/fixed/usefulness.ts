import { type Demand, gpuTotal, isShared, type Need, wholeGpu } from "./needs.ts";
import { accepts, type Shape } from "./shapes.ts";
import { fillOf } from "./slivers.ts";

/**
 * The weights of the parts of usefulness. They were tuned on workloads that no benchmark scores. Halving or doubling one of them changes
 * the GPUs in use by a tenth of a percent.
 */
const weights = {
  /** The number of jobs of a kind that would fit if no others arrived. */
  allOfIt: 1,
  /** Whether one job of a kind fits. */
  oneOfIt: 0.5,
  /** The free part of all GPUs that a job of a kind could use. */
  reachable: 1,
  /** How much of each GPU the jobs that share GPUs are expected to fill. */
  filled: 4,
} as const;

/**
 * Returns how much of the free part of a shape future jobs can still use, in weighted thousandths of GPUs. A job should go where this
 * falls least: where it takes what others could not have used, leaves no vCPUs without GPUs and no GPUs without vCPUs, keeps empty nodes
 * empty, and leaves rests of GPUs that others fill.
 *
 * The expectation over kinds of jobs, and the GPUs that a kind can reach, follow Q. Weng et al., "Beware of Fragmentation: Scheduling
 * GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023. They check whether one job of each kind fits. Here it
 * counts how many would fit, also by vCPUs, and how much of the rests is filled.
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

/** Kinds of jobs that need the same GPUs and differ in vCPUs, ascending. */
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
