import type { AttemptRef, QueueEntry } from "../model/job.ts";
import type { Launch, LaunchSearch } from "../model/launch.ts";
import type { LaunchLimits, LimitScope, WiderReserved } from "../model/limits.ts";
import type { Assignment, BootFailure, Drain, Node } from "../model/node.ts";
import type { Catalogue } from "../model/offer.ts";
import type { Learned, Snapshot } from "../model/plan.ts";
import type { PoolState } from "../model/pool.ts";

/** A decision's right to write: void as soon as a later decision of the pool has begun. */
export type Fence = { readonly pool: string; readonly epoch: number };

/**
 * `done`: written. `stale`: what it was based on has changed; skip it, the next decision sees why.
 * `fenced`: a later decision has begun; stop.
 */
export type Written = "done" | "stale" | "fenced";

/** What is on record for one decision. `reservedWider`: what goes beyond the pool; teams that never had a node of their own are left out. */
export type Loaded = Pick<
  Snapshot,
  "reserved" | "spent" | "queue" | "nodes" | "openLaunches" | "catalogue" | "refusals" | "bootFailures" | "learned"
> & {
  readonly reservedWider: WiderReserved;
};

/** Begins and ends decisions and reads what they look at. Every read is consistent; none uses an index. */
export interface Decisions {
  /**
   * Takes the next epoch; every earlier fence of the pool is void from now on. `wakeAtMs`: as the last `finish` left it.
   * `causes`: who rang since the last one that was told of it, in order of name. They are told once, so those of a
   * decision that dies are lost, and so are those whose answer is: they explain, and nothing hangs on them.
   */
  begin(pool: string): Promise<{
    readonly fence: Fence;
    readonly heard: number;
    readonly wakeAtMs?: number | undefined;
    readonly causes: readonly string[];
  }>;
  /** `nowMs`: whose UTC day and month `spent` is of. */
  load(pool: string, nowMs: number): Promise<Loaded>;
  isCurrent(fence: Fence): Promise<boolean>;
  /**
   * Puts on record what was heard. `rang`: the bell rang again since `begin`.
   * `wakeAtMs`: when a message on `later` will ring it; absent when none is under way.
   */
  finish(fence: Fence, end: { heard: number; busy: boolean; wakeAtMs?: number | undefined }): Promise<"fenced" | "rang" | "quiet">;
  /** The pool as it is; all zero where nothing ever happened. */
  state(pool: string): Promise<PoolState>;
  /** Forgets what the pool's packings have taught. */
  forget(pool: string): Promise<void>;
}

/** What `place` writes. Each method is one conditional write or one transaction: all of it happens or none. */
export interface Placements {
  /** Keeps what the pool's packings have taught, in the place of what was kept before. */
  learn(fence: Fence, learned: Learned): Promise<Written>;
  /** `queued` → `placed`; the entry leaves the queue, the node gets the assignment. Needs a live node of the entry's team. */
  bind(fence: Fence, bind: { entry: QueueEntry; node: string; atMs: number }): Promise<Written>;
  /**
   * The same for a gang: `nodes` by rank, each another one, all with room on record or none. The job's `node` is the first.
   * `stale` when one of them is not live, serves another team or holds the attempt already.
   */
  bindGang(fence: Fence, bind: { entry: QueueEntry; nodes: readonly string[]; atMs: number }): Promise<Written>;
  /**
   * Puts the intent on record and reserves its dollars and GPUs: of the pool, of the deployment, and of the launch's team
   * where it has one. `limit`: whose limit that would exceed; nothing was written.
   */
  intend(fence: Fence, launch: Launch, limits: LaunchLimits): Promise<Written | { readonly limit: LimitScope }>;
  /** Puts on record what searching EC2 for an open launch has shown so far. */
  noteSearch(fence: Fence, noted: { launch: string; search: LaunchSearch }): Promise<Written>;
  /** Closes an intent: its nodes appear as `launching`, the reservation shrinks to what came. */
  settle(fence: Fence, settled: { launch: Launch; nodes: readonly Node[]; atMs: number }): Promise<Written>;
  /** `launching` or `ready` → `draining`, only while it holds nothing: from here on it gets nothing more. */
  drain(fence: Fence, node: string, atMs: number): Promise<Written>;
  /** The same whatever it holds: it bears `drain` from now on, gets nothing more, and lets go of what it holds. One that is drained keeps what it bears (`done`). */
  withdraw(fence: Fence, withdrawn: { node: string; drain: Drain; atMs: number }): Promise<Written>;
  /** EC2 has accepted its end, or says it is gone: → `terminating`; its reservation is released and its cost goes on record, once. */
  terminating(fence: Fence, node: string, atMs: number): Promise<Written>;
  /** EC2 says that it is over: the node leaves the pool (and is released as above, unless it was). Needs a node without assignments. */
  forget(fence: Fence, node: string, atMs: number): Promise<Written>;
  /**
   * Takes one attempt off a dead node, whose lease is over or whose instance is: the job waits again, as its next attempt,
   * and if it is a gang, so do all of it. One whose attempt is over leaves only its place behind.
   * `mostLosses`: the node was lost while it ran, which counts against the job; with so many it fails instead.
   */
  takeBack(
    fence: Fence,
    back: { node: string; assignment: Assignment; reason: string; atMs: number; mostLosses?: number | undefined },
  ): Promise<Written>;
  /** Notes for two hours that the node never became a worker, once however often it is told. */
  bootFailed(fence: Fence, failure: BootFailure): Promise<Written>;
  /** Forgets that these never became workers. */
  healed(fence: Fence, nodes: readonly string[]): Promise<Written>;
  /** `queued` → `failed`, of a job that waits in this pool. */
  fail(fence: Fence, failed: { attempt: AttemptRef; reason: string; atMs: number }): Promise<Written>;
  /**
   * A job that waits, waits in the pool `to` from now on, as the same attempt and in the same turn: it leaves this pool's queue,
   * stands in that one's and bears the reason, and that one's bell has rung (`move`). Whoever moves it sends the lane message.
   */
  move(fence: Fence, moved: { entry: QueueEntry; to: string; reason: string }): Promise<Written>;
  /** Tells a waiting job why it waits. */
  hold(fence: Fence, held: { entry: QueueEntry; reason: string }): Promise<Written>;
}

/** What a pool can buy, as last fetched. */
export interface CatalogueStore {
  get(pool: string): Promise<Catalogue | undefined>;
  put(pool: string, catalogue: Catalogue): Promise<void>;
}
