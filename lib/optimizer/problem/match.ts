import type { FreeNode, GpuNeed, JobNeed, Supply } from "./problem.ts";

/** What of a job decides on which bins it may run, whatever their size. */
export type Trait = Pick<JobNeed, "gpu" | "spot">;

/** Whether a job may run on this, if it has the room. */
export function allowedBy({ gpu, spot }: Trait, on: Pick<Supply | FreeNode, "market" | "gpu">): boolean {
  if (on.market === "spot" && !spot) return false;
  return !gpu || gpu.count === 0 || isRight(gpu, on.gpu);
}

function isRight({ memoryGiB = 0, models = [] }: GpuNeed, kind: Supply["gpu"] | FreeNode["gpu"]): boolean {
  return kind !== undefined && kind.memoryGiB >= memoryGiB && (models.length === 0 || models.includes(kind.model.toLowerCase()));
}

/** One job of each trait that there is. */
export function traitsOf(jobs: readonly JobNeed[]): readonly Trait[] {
  const traits = new Map<string, Trait>();
  for (const { gpu, spot } of jobs) {
    const key = `${spot === true} ${gpu === undefined || gpu.count === 0} ${gpu?.memoryGiB ?? 0} ${gpu?.models?.toSorted().join() ?? ""}`;
    if (!traits.has(key)) traits.set(key, { gpu, spot });
  }
  return [...traits.values()];
}
