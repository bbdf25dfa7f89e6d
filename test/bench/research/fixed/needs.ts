/**
 * The needs of one job on one node of a fleet of fixed size. All are whole numbers, so that sums stay exact.
 */
export type Need = {
  /** Thousandths of a vCPU. */
  readonly vcpuMilli: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** The part of each of its GPUs, in thousandths. It is less than a whole one only if `gpus` is 1, and 0 if `gpus` is 0. */
  readonly gpuMilli: number;
  /** The GPU models that it accepts; any if the list is empty. */
  readonly models: readonly string[];
};

export const wholeGpu = 1_000;

/** Reports whether a job takes a part of one GPU and leaves the rest to others. */
export const isShared = ({ gpus, gpuMilli }: Need): boolean => gpus === 1 && gpuMilli < wholeGpu;

/** Returns the GPUs of a job, in thousandths. */
export const gpuTotal = ({ gpus, gpuMilli }: Need): number => gpus * gpuMilli;

/** Returns a key that jobs share if a node's shape is the same to them. Memory is not part of it: see `shapes.ts`. */
export function nameOfKind(need: Need): string {
  const name =
    names.get(need) ?? `${need.vcpuMilli}/${need.gpus}/${need.gpus === 0 ? 0 : need.gpuMilli}/${[...need.models].sort().join("|")}`;
  names.set(need, name);
  return name;
}

/** A cache, because the key is needed for every node on which a job is tried. */
const names = new WeakMap<Need, string>();

/** The relative frequency of jobs with each need, from past or future arrivals. */
export type Demand = readonly { readonly need: Need; readonly count: number }[];
