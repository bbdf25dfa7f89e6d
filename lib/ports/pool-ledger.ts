import type { AttemptNode } from "../model/history/attempt.ts";
import type { AttemptRef, QueueEntry } from "../model/job.ts";
import type { Launch, LaunchSearch } from "../model/launch.ts";
import type { LaunchLimits, LimitScope, WiderReserved } from "../model/limits.ts";
import type { Assignment, BootFailure, Drain, Node, SilentEnd } from "../model/node.ts";
import type { Catalogue } from "../model/offer.ts";
import type { Learned, Snapshot, UnreadableItem } from "../model/plan.ts";
import type { PoolState } from "../model/pool.ts";
import type { BackOff } from "../model/values/back-off.ts";
import type { FailureCode } from "../model/values/job-end.ts";

/** A decision's right to write. It becomes void when a later decision of the pool begins. */
export type Fence = { readonly pool: string; readonly epoch: number };

/**
 * `done`: written, by this call or by an earlier identical one. `stale`: what the write was based on has changed, so the caller should
 * skip it; the next decision sees why. `fenced`: a later decision has begun, so the caller must stop.
 */
export type Written = "done" | "stale" | "fenced";

/** The stored part of a decision's snapshot. `reservedWider` leaves out the teams that never had a node of their own. */
export type Loaded = Pick<
  Snapshot,
  | "reserved"
  | "spent"
  | "nodes"
  | "openLaunches"
  | "catalogue"
  | "refusals"
  | "bootFailures"
  | "silentEnds"
  | "hearing"
  | "backOffs"
  | "learned"
  | "overrides"
  | "widerOverrides"
  | "unreadable"
> & {
  readonly reservedWider: WiderReserved;
};

/**
 * The jobs that wait in a pool, in order; of a long queue the first of each team and kind. `queued`: how many wait, about, if not all were
 * read. `unreadable`: what is left out, including jobs that were set aside; undefined for none.
 */
export type WaitingJobs = {
  readonly queue: readonly QueueEntry[];
  readonly queued: number;
  readonly unreadable?: readonly UnreadableItem[] | undefined;
};

type Finished = {
  readonly ringsSeen: number;
  readonly busy: boolean;
  readonly wakeAtMs?: number | undefined;
  readonly lookedAtMs?: number | undefined;
};

/** Begins and ends decisions and reads their snapshots. Every read is consistent, so no read uses an index. */
export interface Decisions {
  /**
   * Takes the next epoch, which makes every earlier fence of the pool void. `ringsSeen`: the bell's count. `wakeAtMs` and `lookedAtMs`: as
   * a `finish` last wrote them. `causes`: what rang the bell since the last `begin`, by name. Causes are returned only once, so they are lost if the decision
   * crashes or the response is lost. That is harmless, because they only explain the decision.
   */
  begin(pool: string): Promise<{
    readonly fence: Fence;
    readonly ringsSeen: number;
    readonly wakeAtMs?: number | undefined;
    readonly lookedAtMs?: number | undefined;
    readonly causes: readonly string[];
  }>;
  /** Reads all of it. Items that cannot be read are left out and named. `nowMs` selects the UTC day and month of `spent`. */
  load(pool: string, nowMs: number): Promise<Loaded>;
  /** Reads the queue. `nowMs` selects the kinds that are read first if there are too many. */
  waiting(pool: string, nowMs: number): Promise<WaitingJobs>;
  /** Counts the jobs that wait in the pool, and gives admissions each team's count. */
  countQueued(pool: string): Promise<number>;
  /** Returns whether no later decision of the pool has begun. */
  isCurrent(fence: Fence): Promise<boolean>;
  /**
   * Records that all rings up to `ringsSeen` were considered. `wakeAtMs`: when a message on `later` will ring the bell; undefined if none is
   * on its way. `lookedAtMs`: when nodes were looked up at EC2; undefined keeps the last time. Returns `rang` if the bell rang again since
   * `begin`.
   */
  finish(fence: Fence, end: Finished): Promise<"fenced" | "rang" | "quiet">;
  /** Records that a call to `node` has succeeded, for the whole deployment, as `heardAt` says. */
  heard(atMs: number): Promise<void>;
  /** Returns the pool's state; all zero if nothing ever happened in the pool. */
  state(pool: string): Promise<PoolState>;
  /** Deletes what the optimizer has learned from the pool's packings. */
  resetLearning(pool: string): Promise<void>;
}

/** What `place` writes. Each method is one conditional write or one transaction: it happens completely or not at all. */
export interface Placements {
  /** Replaces what the optimizer has learned from the pool's packings. */
  learn(fence: Fence, learned: Learned): Promise<Written>;
  /** Replaces what the pool could not do lately. */
  backOff(fence: Fence, backOffs: readonly BackOff[]): Promise<Written>;
  /** `queued` → `placed`. The entry leaves the queue, the node gets the assignment, and the attempt gets its record. The node must be live and serve the entry's team. */
  bind(fence: Fence, bind: { entry: QueueEntry; node: AttemptNode; atMs: number }): Promise<Written>;
  /**
   * Binds a gang. `nodes` are by rank and must differ; all of them get an assignment, or none does. The job's `node` is the first.
   * `stale`: one of them is not live, serves another team or holds the attempt already.
   */
  bindGang(fence: Fence, bind: { entry: QueueEntry; nodes: readonly AttemptNode[]; atMs: number }): Promise<Written>;
  /**
   * Moves an attempt from a node whose worker has never called to another one, which must be live and serve the team. Its job stays
   * `placed`, as the same attempt, whose record begins again. `stale`: the first node's worker has called, so it may have got the order, or anything else is not as
   * it was; nothing was written.
   */
  rebind(fence: Fence, rebind: { attempt: Assignment; from: string; node: AttemptNode; atMs: number }): Promise<Written>;
  /**
   * Records the intent and reserves its dollars per hour and GPUs: of the pool, of the deployment, and of the launch's team if it has
   * one. `limit`: whose limit the launch would exceed; nothing was written.
   */
  intend(fence: Fence, launch: Launch, limits: LaunchLimits): Promise<Written | { readonly limit: LimitScope }>;
  /** Records the result so far of searching EC2 for an open launch. */
  recordSearch(fence: Fence, noted: { launch: string; search: LaunchSearch }): Promise<Written>;
  /** Closes an intent: adds its nodes as `launching`, and reduces the reservation to what they cost. */
  settle(fence: Fence, settled: { launch: Launch; nodes: readonly Node[]; atMs: number }): Promise<Written>;
  /** `launching` or `ready` → `draining`, only if the node holds nothing. A draining node gets no more attempts. */
  fenceIdle(fence: Fence, node: string, atMs: number): Promise<Written>;
  /** `launching` or `ready` → `draining`, whatever the node holds. One that is draining, terminating or gone stays as it is (`done`). */
  withdraw(fence: Fence, node: string, atMs: number): Promise<Written>;
  /** Records for about an hour that the node was ended because its worker was silent. Recording the same node again changes nothing. */
  endedSilent(fence: Fence, end: SilentEnd): Promise<Written>;
  /**
   * → `gone`, because EC2 says that the instance has ended. `stoppedAtMs`: it had only stopped by then, so it may have been started again.
   * `stale`: its worker has begun a session since; nothing was written.
   */
  gone(fence: Fence, node: string, at: { readonly atMs: number; readonly stoppedAtMs?: number | undefined }): Promise<Written>;
  /** Records since when EC2 does not know a node's instance; undefined if it knows it again. */
  missing(fence: Fence, node: string, sinceMs: number | undefined): Promise<Written>;
  /** Records since when a node's instance fails EC2's status checks; undefined if it passes them again. */
  impaired(fence: Fence, node: string, sinceMs: number | undefined): Promise<Written>;
  /**
   * `launching`, `ready` or `draining` → `draining`, whatever the node holds. It gets `drain`, which says when its attempts must have
   * left. A node that already has a `drain` keeps that one (`done`).
   */
  drain(fence: Fence, withdrawn: { node: string; drain: Drain; atMs: number }): Promise<Written>;
  /**
   * `draining` → `ready`, without its `drain`. `stale`: it has another drain or a notice of EC2, its worker has never called, or it is
   * further; nothing was written.
   */
  undrain(fence: Fence, kept: { node: string; drain: Drain; atMs: number }): Promise<Written>;
  /**
   * → `terminating`, after EC2 has accepted the termination or has reported that the instance is gone. Releases the node's reservation and
   * records its cost, once.
   */
  terminating(fence: Fence, node: string, atMs: number): Promise<Written>;
  /**
   * Removes the node from the pool, after EC2 has reported that the instance has ended. Also releases it as `terminating` does, if that
   * has not happened. The node must hold no assignments.
   */
  removeNode(fence: Fence, node: string, atMs: number): Promise<Written>;
  /**
   * Takes one attempt off a node whose instance has ended (`gone`), or one whose order was never handed out. The job goes back to `queued` with its next attempt; a
   * gang goes back as a whole. If the job has ended or is on a later attempt, only the assignment is removed.
   * `maxLosses`: the node was lost while the job ran on it, which counts against the job; with so many losses it fails instead.
   * Undefined if the loss does not count. `overdue`: the attempt's time was over, so it counts as a failed run.
   */
  takeBack(
    fence: Fence,
    back: {
      node: string;
      assignment: Assignment;
      reason: string;
      atMs: number;
      maxLosses?: number | undefined;
      overdue?: true | undefined;
    },
  ): Promise<Written>;
  /** Records for two hours that the node never became a worker. Recording the same node again changes nothing. */
  bootFailed(fence: Fence, failure: BootFailure): Promise<Written>;
  /** Deletes the boot failures of these nodes. */
  healed(fence: Fence, nodes: readonly string[]): Promise<Written>;
  /** `queued` → `failed`, for a job that waits in this pool. */
  fail(fence: Fence, failed: { attempt: AttemptRef; failure: FailureCode; reason: string; atMs: number }): Promise<Written>;
  /**
   * Moves a waiting job to the queue of the pool `to`, as the same attempt and with the same turn. Writes the reason to the job and rings
   * the other pool's bell (cause `move`) in the same transaction. The caller must send the message to the lane.
   */
  move(fence: Fence, moved: { entry: QueueEntry; to: string; reason: string }): Promise<Written>;
  /** Writes to a waiting job why it waits. */
  hold(fence: Fence, held: { entry: QueueEntry; reason: string }): Promise<Written>;
  /** Leaves a waiting job whose record cannot be read out of decisions, which would launch nodes for it, until it can be read. */
  setAside(fence: Fence, entry: QueueEntry): Promise<Written>;
}

/** What a pool can buy, as it was last fetched. */
export interface CatalogueStore {
  /** Returns the pool's catalogue. Undefined if none was ever stored, or if it cannot be read; then the next tick fetches another one. */
  get(pool: string): Promise<Catalogue | undefined>;
  put(pool: string, catalogue: Catalogue): Promise<void>;
}
