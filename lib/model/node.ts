import type { FetchedDataset } from "./dataset.ts";
import type { AttemptRef } from "./job.ts";
import type { InstanceType, Offer } from "./offer.ts";
import type { GpuSample, Notice } from "./telemetry.ts";
import type { Life } from "./values/period.ts";
import { minus, type Resources, sum } from "./values/resources.ts";
import type { Wants } from "./wants.ts";

export type NodeState = "launching" | "ready" | "draining" | "terminating" | "gone";

/** One attempt that a node holds, with everything that its job wants. */
export type Assignment = AttemptRef &
  Wants & {
    /** `placed`: assigned, but the worker has not reported it yet. `uploading`: its program has ended and uses no CPU or GPU. */
    readonly phase: "placed" | "running" | "uploading";
    /**
     * When its order was first handed out, ms since the epoch; undefined until then. It is written before the worker gets the order, so
     * nothing of an attempt without it ever ran, and it may be taken back. With it, there must be proof that nothing of it runs any more.
     */
    readonly orderedAtMs?: number | undefined;
    /** The run of the worker's process that has the attempt; undefined while `placed`. A worker that restarts loses the attempt. */
    readonly process?: string | undefined;
    /** The number of the worker's call that wrote the phase; undefined while `placed`. An earlier call must not change it. */
    readonly call?: number | undefined;
    /**
     * From when the time until its program runs counts, ms since the epoch, as `waitsSince` says; undefined if an earlier release wrote it.
     */
    readonly waitsSinceMs?: number | undefined;
    /** When its present phase must be over, ms since the epoch; undefined if an earlier release wrote it. */
    readonly untilMs?: number | undefined;
    /** Its rank in its gang, from 0; undefined for a job of one node. */
    readonly rank?: number | undefined;
    /** Set if the attempt must leave the node, although the node stays. Its worker is ordered to stop it, and its job is queued again. */
    readonly evict?: Eviction | undefined;
  };

/** Why an attempt must leave its node, and since when. */
export type Eviction = { readonly because: string; readonly atMs: number };

/** Reports whether this is the rank of a gang's first member, or undefined. Only such a member keeps files and decides how its job ends. */
export const isFirstMember = (rank: number | undefined): boolean => rank === undefined || rank === 0;

/** One EC2 instance of the deployment. */
export type Node = {
  /** The EC2 instance id. */
  readonly id: string;
  readonly pool: string;
  readonly launch: string;
  /** The only team that the node ever serves; undefined in a shared pool. */
  readonly team?: string | undefined;
  readonly offer: Offer;
  readonly type: InstanceType;
  readonly state: NodeState;
  readonly launchedAtMs: number;
  /** When its worker first called, ms since the epoch; undefined until then. */
  readonly readyAtMs?: number | undefined;
  /** When a process of its worker last began a session; undefined until then. */
  readonly begunAtMs?: number | undefined;
  /** The newest session of its worker; undefined until a process of it began one. */
  readonly session?: number | undefined;
  /** The number of the call that wrote its last heartbeat; undefined until the first. */
  readonly call?: number | undefined;
  /** When its worker's last heartbeat was written; undefined until the first. */
  readonly lastSeenMs?: number | undefined;
  /** When an attempt was last assigned to it or removed from it; until then, when it was launched. */
  readonly lastBusyMs: number;
  /** Since when it is in its present state. */
  readonly stateSinceMs: number;
  readonly assignments: readonly Assignment[];
  /** Set once its end was accepted, its reservation released and its cost recorded. */
  readonly released?: true | undefined;
  /** Its private IPv4 address; undefined until its worker has reported it. */
  readonly address?: string | undefined;
  /** EC2's interruption or rebalance notice. The node is `draining` from then on. */
  readonly notice?: Notice | undefined;
  /** Last reported by its worker; undefined before the first report. */
  readonly gpus?: readonly GpuSample[] | undefined;
  /** When `gpus` was reported. */
  readonly gpusAtMs?: number | undefined;
  /** When one of its GPUs was last reported busy; undefined if none ever was. */
  readonly gpusBusyAtMs?: number | undefined;
  /** Since when EC2 does not know the instance, as it said each time it was asked; undefined if it does. */
  readonly missingSinceMs?: number | undefined;
  /** Since when EC2's status checks fail, as EC2 said each time it was asked; undefined if they pass, or if its worker is not silent. */
  readonly impairedSinceMs?: number | undefined;
  /** Set if Fleetwright takes the node out of use although it may hold attempts. The node is `draining` from then on. */
  readonly drain?: Drain | undefined;
  /** Set if an admin has declared that nothing runs on it any more. The node is `gone` from then on. */
  readonly declared?: Declared | undefined;
  /** The node that this one was launched to replace; undefined for none. */
  readonly replaces?: string | undefined;
  /** The datasets that it has fetched; undefined for none. */
  readonly datasets?: readonly FetchedDataset[] | undefined;
};

/** Why a node is drained, and until when. It gets no more attempts. Attempts that still run at `untilMs` are stopped and queued again. */
export type Drain = {
  readonly because: string;
  readonly untilMs: number;
  /** Set if other nodes have room for its attempts, so that no node must be launched to replace it. */
  readonly hasRoom?: true | undefined;
  /** Set if an admin has ordered it. It is dropped if the admin takes the order back in time. */
  readonly ordered?: true | undefined;
};

/** Who has declared a node dead, why, and when, ms since the epoch. */
export type Declared = { readonly by: string; readonly because: string; readonly atMs: number };

/** An instance that never became a worker: it did not call in time, or it ended before its first call without being terminated by us. */
export type BootFailure = { readonly node: string; readonly instanceType: string; readonly zone: string; readonly atMs: number };

/** A node whose end was decided because its worker was silent. */
export type SilentEnd = { readonly node: string; readonly zone: string; readonly atMs: number };

/** Reports whether nothing of an assignment can ever have run, because its order was never handed out. */
export const wasNeverOrdered = ({ phase, orderedAtMs }: Pick<Assignment, "phase" | "orderedAtMs">): boolean =>
  phase === "placed" && orderedAtMs === undefined;

/** Returns what is free on a node. An attempt that only uploads uses nothing. */
export const freeOn = (node: Pick<Node, "type" | "assignments">): Resources =>
  minus(node.type.resources, sum(node.assignments.filter((a) => a.phase !== "uploading").map((a) => a.needs)));

export const isLive = (node: Node): boolean => node.state === "launching" || node.state === "ready";

/** Returns the time for which AWS charges the node, until `nowMs` at the latest. That an admin has declared it dead does not end it. */
export const lifeOf = (node: Pick<Node, "offer" | "state" | "stateSinceMs" | "launchedAtMs" | "declared">, nowMs: number): Life => ({
  usdPerHour: node.offer.usdPerHour,
  fromMs: node.launchedAtMs,
  toMs: node.state === "gone" && !node.declared ? Math.min(node.stateSinceMs, nowMs) : nowMs,
});
