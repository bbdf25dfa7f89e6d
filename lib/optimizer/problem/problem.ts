import type { Conditions } from "../../model/wants.ts";

/**
 * The input of the optimizer: jobs, existing nodes, and offers. All costs are in dollars: a plan costs the hourly price of its nodes, plus
 * the cost of waiting, interruptions and moved data.
 *
 * The optimizer does not know vCPUs or memory: `dimensions` are any quantities that add up on a node. GPUs are separate, because a share
 * of a GPU must lie within a single one.
 */
export type Problem = {
  /** The names of the quantities that add up on a node, in the order of `size`, `room` and `capacity`. */
  readonly dimensions: readonly string[];
  readonly jobs: readonly JobClass[];
  readonly nodes: readonly FreeNode[];
  readonly offers: readonly Supply[];
  /** The most that all launches together may use. */
  readonly limits?: readonly Limit[] | undefined;
  readonly terms?: Partial<Terms> | undefined;
};

/** The needs of one job on one node, and the conditions that decide where it may run, whatever its size. */
export type JobNeed = Omit<Conditions, "gpu"> & {
  readonly size: readonly number[];
  /** Undefined if it needs no GPU. */
  readonly gpu?: GpuNeed | undefined;
  /** If more than one, the job is a gang of that many equal nodes, of one type and in one zone, each with these needs. */
  readonly nodes?: number | undefined;
  /** If not all jobs can be placed, those with a higher priority are placed first. */
  readonly priority?: number | undefined;
  /** Hours within which it should begin; undefined if it has no deadline. Among equal priorities, the nearest deadline is placed first. */
  readonly deadlineHours?: number | undefined;
  /** The datasets that it reads, by name, in GiB. */
  readonly data?: Readonly<Record<string, number>> | undefined;
};

/** `count` is a number of whole GPUs or, for jobs that agree to share a GPU, a share of a single one (less than 1). */
export type GpuNeed = Partial<NonNullable<Conditions["gpu"]>> & { readonly count: number };

export type NamedJob = JobNeed & { readonly name: string };

/** Jobs with the same needs, by name. The work of the optimizer grows with the number of classes, not of jobs. */
export type JobClass = JobNeed & { readonly names: readonly string[] };

export type PlanningMarket = "spot" | "on-demand" | "reserved" | "block";

/** An existing, paid node with its free room. It may be emptied if `usdPerHour` and `holds` are defined (drains.ts). */
export type FreeNode = {
  readonly name: string;
  readonly room: readonly number[];
  readonly gpu?: GpuModel | undefined;
  /** The free part of each GPU, 0 to 1. */
  readonly gpusFree?: readonly number[] | undefined;
  readonly type: string;
  readonly zone: string;
  readonly market: PlanningMarket;
  /** The names of the datasets that it holds. */
  readonly warm?: readonly string[] | undefined;
  /** Its price per hour. */
  readonly usdPerHour?: number | undefined;
  /** The jobs that run on it, which must not include gangs or jobs of the problem. */
  readonly holds?: readonly JobClass[] | undefined;
};

export type GpuModel = { readonly model: string; readonly memoryGiB: number };

/** An offer: an instance type in a zone and a market. */
export type Supply = {
  readonly name: string;
  readonly type: string;
  readonly zone: string;
  readonly market: PlanningMarket;
  readonly usdPerHour: number;
  readonly capacity: readonly number[];
  readonly gpu?: (GpuModel & { readonly count: number }) | undefined;
  /** The expected number of interruptions of an instance per hour. */
  readonly interruptionsPerHour?: number | undefined;
  /** The number of instances that are available; undefined if unlimited or not known. */
  readonly most?: number | undefined;
  /** How much one instance uses of the problem's limits, by the limit's name. */
  readonly uses?: Readonly<Record<string, number>> | undefined;
};

export type Limit = { readonly name: string; readonly most: number };

/** The terms that convert waiting, interruptions and moved data to dollars. */
export type Terms = {
  /** The loss if EC2 or Fleetwright stops what runs on a node, in hours of the node's price. */
  readonly hoursLostAtInterruption: number;
  /** The cost of moving one GiB to a node. */
  readonly usdPerGiB: number;
  /** The number of hours over which a one-time cost is spread. */
  readonly hoursOfUse: number;
  /** The cost of an hour of waiting of a job with priority 0 and no deadline (urgency.ts). */
  readonly waitUsdPerHour: number;
};

export const standardTerms: Terms = { hoursLostAtInterruption: 0.25, usdPerGiB: 0, hoursOfUse: 1, waitUsdPerHour: 1 };
