import type { Conditions } from "../../model/wants.ts";

/**
 * What the optimizer is asked: jobs, the nodes that are there, and what can be bought. One currency, dollars: a plan costs what its
 * nodes cost an hour, and what waiting, interruptions and moved data cost beside that.
 *
 * It knows nothing of vCPUs: `dimensions` are whatever adds up on a node. GPUs are apart, for a share of a GPU lies within one.
 */
export type Problem = {
  /** Names of what adds up on a node, as `size`, `room` and `capacity` list it. */
  readonly dimensions: readonly string[];
  readonly jobs: readonly JobClass[];
  readonly nodes: readonly FreeNode[];
  readonly offers: readonly Supply[];
  /** What all launches together may use at most. */
  readonly limits?: readonly Limit[] | undefined;
  readonly terms?: Partial<Terms> | undefined;
};

/** What one job needs of one node, and the conditions that decide where it may run, whatever its size. */
export type JobNeed = Omit<Conditions, "gpu"> & {
  readonly size: readonly number[];
  /** Undefined: none. */
  readonly gpu?: GpuNeed | undefined;
  /** More than one: a gang of as many equal nodes, of one type and in one zone, each with these needs. */
  readonly nodes?: number | undefined;
  /** The higher, the sooner it is placed where not all can be. */
  readonly priority?: number | undefined;
  /** Within how many hours it should begin; absent: no matter when. Among equal priorities the nearest is placed first. */
  readonly deadlineHours?: number | undefined;
  /** What it reads, by name, in GiB. */
  readonly data?: Readonly<Record<string, number>> | undefined;
};

/** `count`: whole GPUs, or less than one: a share of a single GPU, for those who have opted in. */
export type GpuNeed = Partial<NonNullable<Conditions["gpu"]>> & { readonly count: number };

export type Job = JobNeed & { readonly name: string };

/** Jobs with the same needs, by name. Work grows with classes, not with jobs. */
export type JobClass = JobNeed & { readonly names: readonly string[] };

export type Market = "spot" | "on-demand" | "reserved" | "block";

/** A node that is there and paid for, with what is free on it. With what it costs and holds it may be emptied (drains.ts). */
export type FreeNode = {
  readonly name: string;
  readonly room: readonly number[];
  readonly gpu?: GpuKind | undefined;
  /** What is free of each GPU, 0 to 1. */
  readonly gpusFree?: readonly number[] | undefined;
  readonly type: string;
  readonly zone: string;
  readonly market: Market;
  /** What it holds of datasets, by name. */
  readonly warm?: readonly string[] | undefined;
  /** What it costs an hour while it is there. */
  readonly usdPerHour?: number | undefined;
  /** All that runs on it, no gangs. None of these is a job of the problem. */
  readonly holds?: readonly JobClass[] | undefined;
};

export type GpuKind = { readonly model: string; readonly memoryGiB: number };

/** An instance type in a zone and a market, as it can be bought. */
export type Supply = {
  readonly name: string;
  readonly type: string;
  readonly zone: string;
  readonly market: Market;
  readonly usdPerHour: number;
  readonly capacity: readonly number[];
  readonly gpu?: (GpuKind & { readonly count: number }) | undefined;
  /** How often an instance is taken back, expected. */
  readonly interruptionsPerHour?: number | undefined;
  /** Instances that can be had, where that is known. */
  readonly most?: number | undefined;
  /** What one instance uses of the problem's limits, by the limit's name. */
  readonly uses?: Readonly<Record<string, number>> | undefined;
};

export type Limit = { readonly name: string; readonly most: number };

/** What turns waiting, interruptions and data into dollars. */
export type Terms = {
  /** What an interruption, or our own end of what runs on a node, loses, in hours of the node's price. */
  readonly hoursLostAtInterruption: number;
  /** To move a GiB to a node. */
  readonly usdPerGiB: number;
  /** Over how many hours what is paid once is spread. */
  readonly hoursOfUse: number;
  /** What an hour of waiting costs for a job of priority 0 without a deadline (urgency.ts). */
  readonly waitUsdPerHour: number;
};

export const standardTerms: Terms = { hoursLostAtInterruption: 0.25, usdPerGiB: 0, hoursOfUse: 1, waitUsdPerHour: 1 };
