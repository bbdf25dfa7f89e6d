import { allows, type Conditions, conditionsKey } from "../../model/wants.ts";
import type { FreeNode, JobNeed, Supply } from "./problem.ts";

/** The part of a job's needs that decides on which bins it may run, whatever their size. */
export type Trait = Omit<JobNeed, "size">;

/** Returns the conditions of a job. A job without GPUs has no condition on them, so it may run on any type. */
export const conditionsOf = (job: Trait): Conditions => (job.gpu?.count === 0 ? { ...job, gpu: undefined } : job);

/** Reports whether a job may run on this offer or node, if it has the room. */
export const allowedBy = (job: Trait, on: Pick<Supply | FreeNode, "market" | "zone" | "gpu">): boolean =>
  (!job.gpu || job.gpu.count === 0 || on.gpu !== undefined) && allows(conditionsOf(job), on, on);

/** Returns a key that jobs share if they may run on the same bins. Jobs with GPUs and jobs without never share one. */
export const traitKey = (job: Trait): string => `${(job.gpu?.count ?? 0) > 0} ${conditionsKey(conditionsOf(job))}`;

/** Returns one job per trait. */
export function traitsOf(jobs: readonly Trait[]): readonly Trait[] {
  const traits = new Map<string, Trait>();
  for (const job of jobs) {
    const key = traitKey(job);
    if (!traits.has(key)) traits.set(key, job);
  }
  return [...traits.values()];
}
