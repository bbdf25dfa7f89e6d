/**
 * What one job takes of one node of a fleet that does not grow. Whole numbers throughout, so that what is free adds up
 * exactly however often it is taken from.
 */
export type Need = {
  /** Thousandths of a vCPU. */
  readonly vcpuMilli: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** Of each of its GPUs, in thousandths. Less than a whole one only where `gpus` is 1; nothing where it is 0. */
  readonly gpuMilli: number;
  /** Models that will do; any where there are none. */
  readonly models: readonly string[];
};

export const wholeGpu = 1_000;

/** Takes a part of one GPU and leaves the rest of it to others. */
export const isShared = ({ gpus, gpuMilli }: Need): boolean => gpus === 1 && gpuMilli < wholeGpu;

/** Thousandths of GPUs, of all of them together. */
export const gpuTotal = ({ gpus, gpuMilli }: Need): number => gpus * gpuMilli;

/** Jobs of one name are alike in all that a node's shape is judged by. Memory is not: see `shapes.ts`. */
export function nameOfKind(need: Need): string {
  const name =
    names.get(need) ?? `${need.vcpuMilli}/${need.gpus}/${need.gpus === 0 ? 0 : need.gpuMilli}/${[...need.models].sort().join("|")}`;
  names.set(need, name);
  return name;
}

/** It is asked for again with each node that a job is tried on. */
const names = new WeakMap<Need, string>();

/** How often jobs of each need are expected beside each other: from what came before, or what is to come. */
export type Demand = readonly { readonly need: Need; readonly count: number }[];
