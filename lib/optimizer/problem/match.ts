import { allows, type Conditions, conditionsKey } from "../../model/wants.ts";
import type { FreeNode, JobNeed, Supply } from "./problem.ts";

/** What of a job decides on which bins it may run, whatever their size. */
export type Trait = Omit<JobNeed, "size">;

/** A job without GPUs runs on any type. */
export const conditionsOf = ({ gpu, ...conditions }: Trait): Conditions => ({
  ...conditions,
  gpu: gpu && gpu.count > 0 ? { memoryGiB: gpu.memoryGiB ?? 0, models: gpu.models ?? [] } : undefined,
});

/** Whether a job may run on this, if it has the room. */
export const allowedBy = (job: Trait, on: Pick<Supply | FreeNode, "market" | "zone" | "gpu">): boolean =>
  (!job.gpu || job.gpu.count === 0 || on.gpu !== undefined) && allows(conditionsOf(job), on, on);

/** The same for jobs that may run on the same bins. Those with and without GPUs differ, whatever the GPUs must be. */
export const traitKey = (job: Trait): string => `${(job.gpu?.count ?? 0) > 0} ${conditionsKey(conditionsOf(job))}`;

/** One job of each trait that there is. */
export function traitsOf(jobs: readonly Trait[]): readonly Trait[] {
  const traits = new Map<string, Trait>();
  for (const job of jobs) {
    const key = traitKey(job);
    if (!traits.has(key)) traits.set(key, job);
  }
  return [...traits.values()];
}
