import { type Random, seeded } from "../../../lib/optimizer/engines/random.ts";
import type { FixedNode } from "../research/fixed/choose.ts";
import { type Need, wholeGpu } from "../research/fixed/needs.ts";
import type { Cluster } from "./data.ts";

const nodeTypes = [
  { model: "a", count: 60, vcpus: 96, memoryGiB: 384, gpus: 8 },
  { model: "b", count: 40, vcpus: 96, memoryGiB: 512, gpus: 2 },
  { model: "c", count: 20, vcpus: 16, memoryGiB: 120, gpus: 2 },
] as const;

const podsDrawn = 900;

/** Returns the made clusters that ship with the project: jobs that share GPUs, jobs that take several, and a mixture. */
export const madeClusters = (): readonly Cluster[] =>
  [
    { name: "made, mixed", shared: 0.45, several: 0.03 },
    { name: "made, shared", shared: 0.85, several: 0 },
    { name: "made, several", shared: 0.3, several: 0.2 },
  ].map(({ name, ...mix }, index) => ({ name, nodes: madeNodes(), pods: madePods(mix, seeded(20_230_711 + index)) }));

const madeNodes = (): readonly FixedNode[] =>
  nodeTypes.flatMap(({ model, count, vcpus, memoryGiB, gpus }) =>
    Array.from({ length: count }, (_, nth) => ({
      name: `${model}-${String(nth).padStart(3, "0")}`,
      model,
      vcpuMilli: vcpus * 1_000,
      memoryMiB: memoryGiB * 1_024,
      gpus: Array.from({ length: gpus }, () => wholeGpu),
    })),
  );

function madePods(mix: { shared: number; several: number }, random: Random): readonly Need[] {
  const kinds = Array.from({ length: 80 }, () => kindOf(mix, random));
  // A few kinds are most of the arrivals.
  return Array.from({ length: podsDrawn }, () => kinds[Math.floor(kinds.length * random() ** 2)] as Need);
}

function kindOf({ shared, several }: { shared: number; several: number }, random: Random): Need {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const vcpuMilli = pick([2_000, 3_152, 4_000, 8_000, 11_400, 12_000, 16_000]);
  const memoryMiB = pick([4, 8, 16, 32, 48]) * 1_024;
  const models = random() < 0.1 ? [pick(["a", "b"])] : [];
  const drawn = random();
  if (drawn < 0.12) return { vcpuMilli, memoryMiB, gpus: 0, gpuMilli: 0, models: [] };
  if (drawn < 0.12 + 0.88 * shared)
    return { vcpuMilli: vcpuMilli / 2, memoryMiB, gpus: 1, gpuMilli: 10 * pick([11, 16, 23, 32, 47, 59, 65, 81]), models };
  const gpus = drawn > 1 - several ? pick([2, 4, 8]) : 1;
  return { vcpuMilli: vcpuMilli * gpus, memoryMiB: memoryMiB * gpus, gpus, gpuMilli: wholeGpu, models: gpus > 1 ? [] : models };
}
