import type { AttemptRef, JobRef, QueueEntry } from "./job.ts";
import type { Launch, Reservation } from "./launch.ts";
import type { WiderLimits, WiderReserved } from "./limits.ts";
import type { Assignment, BootFailure, Drain, Node, SilentEnd } from "./node.ts";
import type { Catalogue } from "./offer.ts";
import type { Overrides } from "./overrides/overrides.ts";
import type { NextPool, Pool, Spent } from "./pool.ts";
import type { Refusal } from "./refusal.ts";
import type { BackOff } from "./values/back-off.ts";
import type { Hearing } from "./values/hearing.ts";
import type { FailureCode } from "./values/job-end.ts";

/**
 * An item of the table that this release cannot read, for example because a later release wrote it. What it stands for stays as it is:
 * its node is not ended, its launch not repeated, its job not started, and its limit used up, until a release reads it or somebody repairs it.
 */
export type UnreadableItem = {
  readonly kind:
    | "node"
    | "launch"
    | "queue entry"
    | "job"
    | "attempt"
    | "upload"
    | "refusal"
    | "boot failure"
    | "silent end"
    | "counter"
    | "overrides";
  /** The item's keys in the table. */
  readonly key: string;
  /** The fields that cannot be read. */
  readonly why: string;
  /** The jobs for which a launch was made, if at least these can be read. They wait for it, as for any open launch. */
  readonly jobs?: readonly JobRef[] | undefined;
};

/** The complete input of one decision. */
export type Snapshot = {
  readonly nowMs: number;
  readonly pool: Pool;
  readonly reserved: Reservation;
  /** The limits beyond the pool's, and what is reserved of them; undefined if there are no such limits. */
  readonly wider?: { readonly limits: WiderLimits; readonly reserved: WiderReserved } | undefined;
  /** Without the nodes whose end is not recorded yet. */
  readonly spent: Spent;
  /** Of a long queue, the first jobs of each team and kind. */
  readonly queue: readonly QueueEntry[];
  /** How many jobs wait; undefined if all of them are in `queue`. */
  readonly queued?: number | undefined;
  readonly nodes: readonly Node[];
  /** Launches whose outcome is not known yet. */
  readonly openLaunches: readonly Launch[];
  /** What the pool can buy; undefined until it was first fetched. */
  readonly catalogue?: Catalogue | undefined;
  /** The pools that jobs may move to if EC2 gives this pool nothing, in order; undefined for none. */
  readonly next?: readonly NextPool[] | undefined;
  /** What EC2 refused, to this pool or another. */
  readonly refusals: readonly Refusal[];
  /** The boot failures of about the last two hours; undefined for none. */
  readonly bootFailures?: readonly BootFailure[] | undefined;
  /** The nodes that were ended for silence in about the last hour; undefined for none. */
  readonly silentEnds?: readonly SilentEnd[] | undefined;
  /** Whether we hear workers: undefined if it was never noted. */
  readonly hearing?: Hearing | undefined;
  /** When a decision last looked up nodes at EC2; undefined if none ever did. */
  readonly lookedAtMs?: number | undefined;
  /** What could not be done lately, and is not tried again before some time; undefined for nothing. */
  readonly backOffs?: readonly BackOff[] | undefined;
  /** What the optimizer has learned from the pool's packings so far; undefined for nothing. */
  readonly learned?: Learned | undefined;
  /** What admins have ordered about the pool and its nodes; undefined if they never did. */
  readonly overrides?: Overrides | undefined;
  /** What admins have set instead of the limits across pools. `wider` has it already. Undefined if they never did. */
  readonly widerOverrides?: Overrides | undefined;
  /** What is missing above because it cannot be read; undefined for nothing. */
  readonly unreadable?: readonly UnreadableItem[] | undefined;
};

/** What is known of a pool before its queue is. */
export type NodeSnapshot = Omit<Snapshot, "queue" | "queued" | "next">;

/** Reports whether there is anything in the pool that decisions must go on for, readable or not. */
export const hasWork = ({
  queue,
  nodes,
  openLaunches,
  unreadable = [],
}: Pick<Snapshot, "queue" | "nodes" | "openLaunches" | "unreadable">): boolean =>
  queue.length + nodes.length + openLaunches.length > 0 ||
  unreadable.some(({ kind }) => kind === "node" || kind === "launch" || kind === "queue entry" || kind === "job");

/** One thing to do, and why. Steps start in the plan's order and run concurrently, because no step depends on another of its plan. */
export type Step =
  /** Assigns an attempt to a node. */
  | { readonly kind: "bind"; readonly entry: QueueEntry; readonly node: string; readonly because: string }
  /** Assigns a gang's attempt to all its nodes, by rank, or to none. */
  | { readonly kind: "bind-gang"; readonly entry: QueueEntry; readonly nodes: readonly string[]; readonly because: string }
  /** Moves an attempt whose order was never handed out from a node that boots to one that is ready. */
  | { readonly kind: "rebind"; readonly attempt: Assignment; readonly from: string; readonly node: string; readonly because: string }
  /** Asks EC2 for nodes that have room for these jobs, or for a gang's nodes. */
  | { readonly kind: "launch"; readonly launch: Omit<Launch, "id" | "clientToken" | "intendedAtMs">; readonly because: string }
  /** Terminates a node that holds nothing. */
  | { readonly kind: "retire"; readonly node: string; readonly because: string }
  /** Gives a node no more attempts, and has those that it holds leave until `untilMs`. */
  | ({ readonly kind: "drain"; readonly node: string } & Drain)
  /** Lets a drained node get attempts again, because the admin has taken back the order for exactly this drain. */
  | { readonly kind: "undrain"; readonly node: string; readonly drain: Drain; readonly because: string }
  /**
   * Terminates a node that may hold attempts. Those whose orders were never handed out are taken back at once, and the others when EC2 reports
   * that the instance has ended. `silent`: its worker is silent, which counts against the most that may end for that. `neverBooted`: it never
   * became a worker, which counts against its type and zone.
   */
  | {
      readonly kind: "end";
      readonly node: string;
      readonly because: string;
      readonly silent?: true | undefined;
      readonly neverBooted?: true | undefined;
    }
  /** Takes back the attempts of a node whose instance has ended, and removes the node. `neverBooted` as for `end`. */
  | { readonly kind: "lose"; readonly node: string; readonly because: string; readonly neverBooted?: true | undefined }
  /** Takes back what a silent node holds but was never handed out to it. The node keeps the rest. */
  | { readonly kind: "unbind"; readonly node: string; readonly because: string }
  /** Deletes the boot failures of these nodes. */
  | { readonly kind: "heal"; readonly nodes: readonly string[]; readonly because: string }
  /** Checks a node whose termination was requested but not confirmed, or that is slow to boot. Repeats the request if it is still alive. */
  | { readonly kind: "confirm"; readonly node: string; readonly because: string }
  /** Fails a job that can never run in this pool. */
  | { readonly kind: "fail"; readonly attempt: AttemptRef; readonly failure: FailureCode; readonly because: string }
  /** Moves a job that waits in vain to another pool. */
  | { readonly kind: "move"; readonly entry: QueueEntry; readonly to: string; readonly because: string }
  /** Writes to a job why it has to wait, if the reason is new. */
  | { readonly kind: "hold"; readonly entry: QueueEntry; readonly because: string };

/** How the jobs that will share new nodes were packed. */
export type Packing = {
  /** The engine of the optimizer that found it. */
  readonly engine: string;
  /** What its nodes cost, at the price of the cheapest offer for each. */
  readonly usdPerHour: number;
  /** A lower bound: no packing of the same jobs on what could be bought costs less. 0 if no bound is known. */
  readonly boundUsdPerHour: number;
  /** How many steps of work the optimizer spent on it. */
  readonly steps: number;
};

/** Returns how much more than the bound a packing costs at most, as a fraction of the bound, or undefined if there is no bound. */
export const gapOf = ({ usdPerHour, boundUsdPerHour }: Packing): number | undefined =>
  boundUsdPerHour > 0 ? usdPerHour / boundUsdPerHour - 1 : undefined;

/** The result of one decision. `steps` is empty if there is nothing to do. */
export type Plan = {
  readonly steps: readonly Step[];
  /** When to decide again even if nothing happens, ms since the epoch; undefined if only an event can change the plan. */
  readonly wakeAtMs?: number | undefined;
  /** The same without what is due now already; undefined for never. */
  readonly laterAtMs?: number | undefined;
  /** Undefined if nothing was packed. */
  readonly packing?: Packing | undefined;
  /** What the optimizer has learned, including this packing; undefined if nothing was packed. */
  readonly learned?: Learned | undefined;
};

/** The results so far of one engine on problems of one sort: how often it was tried, and the sum of its rewards (0 to 1 each time). */
export type Experience = { readonly tries: number; readonly reward: number };

/**
 * The experience of each engine, by sort of problem and engine. It is stored between decisions and may have been written by another
 * release, so it may name engines that do not exist in this one; they are ignored.
 */
export type Learned = Readonly<Record<string, Readonly<Record<string, Experience>>>>;
