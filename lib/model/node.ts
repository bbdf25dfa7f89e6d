import type { FetchedDataset } from "./dataset.ts";
import type { AttemptRef } from "./job.ts";
import type { InstanceType, Offer } from "./offer.ts";
import type { GpuSample, Notice } from "./telemetry.ts";
import type { Life } from "./values/period.ts";
import { minus, type Resources, sum } from "./values/resources.ts";
import type { Wants } from "./wants.ts";

export type NodeState = "launching" | "ready" | "draining" | "terminating" | "gone";

/** One attempt that a node holds, with all that its job wants. */
export type Assignment = AttemptRef &
  Wants & {
    /** `placed`: ordered, not yet seen by the worker. `uploading`: its program has ended and holds no CPU or GPU. */
    readonly phase: "placed" | "running" | "uploading";
    /** The run of the worker's process that has it; absent while `placed`. Another run of it has lost the attempt. */
    readonly process?: string | undefined;
    /** Its place in its gang, from 0; absent for a job of one node. */
    readonly rank?: number | undefined;
  };

/** One EC2 instance of ours. */
export type Node = {
  /** The EC2 instance id. */
  readonly id: string;
  readonly pool: string;
  readonly launch: string;
  /** The one team it serves, for life; absent in a pool that is shared. */
  readonly team?: string | undefined;
  readonly offer: Offer;
  readonly type: InstanceType;
  readonly state: NodeState;
  readonly launchedAtMs: number;
  /** When its worker first called. */
  readonly readyAtMs?: number | undefined;
  /** When its worker last called. */
  readonly lastSeenMs?: number | undefined;
  /** Until when the attempts it holds are its own even if it is silent. */
  readonly leaseUntilMs: number;
  /** When an attempt was last given to it or taken off it; its launch before that. */
  readonly lastBusyMs: number;
  /** Since when it is in its present state. */
  readonly stateSinceMs: number;
  readonly assignments: readonly Assignment[];
  /** Its end was accepted: its reservation is released and its cost is on record. Absent until then. */
  readonly released?: true | undefined;
  /** Its private IPv4 address, once its worker has told it. */
  readonly address?: string | undefined;
  /** EC2's word that it will not stay. It is `draining` from then on. */
  readonly notice?: Notice | undefined;
  /** As its worker last told them; absent until it tells of any. */
  readonly gpus?: readonly GpuSample[] | undefined;
  /** When it told `gpus`. */
  readonly gpusAtMs?: number | undefined;
  /** When one of its GPUs was last told to be busy; absent if none ever was. */
  readonly gpusBusyAtMs?: number | undefined;
  /** Why we want it back though it may hold work, and until when that may go on. It is `draining` from then on. */
  readonly drain?: Drain | undefined;
  /** The node whose work it was launched for, before that one's has to leave. */
  readonly replaces?: string | undefined;
  /** What it has fetched; absent for nothing. */
  readonly datasets?: readonly FetchedDataset[] | undefined;
};

/** A node that is drained gets nothing more; what runs on it when `untilMs` comes is stopped, and waits again. */
export type Drain = {
  readonly because: string;
  readonly untilMs: number;
  /** Other nodes have room for what it holds: none is launched in its stead. */
  readonly hasRoom?: true | undefined;
};

/** An instance that never became a worker: it did not call in time, or ended before it did, and nobody had asked for that. */
export type BootFailure = { readonly node: string; readonly instanceType: string; readonly zone: string; readonly atMs: number };

/** What is free on a node: an attempt that only uploads holds nothing. */
export const freeOn = (node: Pick<Node, "type" | "assignments">): Resources =>
  minus(node.type.resources, sum(node.assignments.filter((a) => a.phase !== "uploading").map((a) => a.needs)));

export const isLive = (node: Node): boolean => node.state === "launching" || node.state === "ready";

/** What of its time costs money, as of `nowMs`. */
export const lifeOf = (node: Pick<Node, "offer" | "state" | "stateSinceMs" | "launchedAtMs">, nowMs: number): Life => ({
  usdPerHour: node.offer.usdPerHour,
  fromMs: node.launchedAtMs,
  toMs: node.state === "gone" ? Math.min(node.stateSinceMs, nowMs) : nowMs,
});
