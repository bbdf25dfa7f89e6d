import type { PoolView } from "../../../api/views/pools.ts";
import { aWarning, type Finding } from "../findings/finding.ts";

/** How long a pool must have been without a job to count as unused. */
export const unusedDays = 30;
/** A deployment that has changed since then is left alone, because its pools may be new. */
export const graceDays = 14;

/** Reports whether the view of a pool shows work or nodes, so that no jobs have to be searched. */
export const showsUse = ({ queue, nodes, openLaunches, spent }: Pick<PoolView, "queue" | "nodes" | "openLaunches" | "spent">): boolean =>
  queue.length > 0 || openLaunches.length > 0 || spent.usdThisMonth > 0 || Object.values(nodes).some((count) => count > 0);

/** Checks that each pool is used. `hadJobs`: whether a job was submitted to the pool in the last days. */
export const poolUseFindings = (pools: readonly { readonly pool: string; readonly hadJobs: boolean }[]): readonly Finding[] =>
  pools
    .filter(({ hadJobs }) => !hadJobs)
    .map(({ pool }) =>
      aWarning(
        "pool-use.unused",
        `pool ${pool} has had no job for ${unusedDays} days, and its alarms cost money`,
        `send it a job, or remove pool ${pool} from the configuration, then npx cdk deploy`,
      ),
    );
