import type { Sign } from "../model/heartbeat/heartbeat.ts";
import type { AttemptRef, Job, JobChange, JobRef } from "../model/job.ts";
import type { Declared, Node } from "../model/node.ts";
import type { Notice } from "../model/telemetry.ts";

/** A change of the job's record, the node's assignment, or both, in one transaction, because of a worker's report. */
export type AttemptChange = {
  readonly attempt: AttemptRef;
  /** Undefined if the job stays as it is. */
  readonly job?: JobChange | undefined;
  /** The new phase of the assignment. `removed`: the node no longer holds the attempt. */
  readonly assignment: "running" | "uploading" | "removed";
  /** When the new phase must be over, ms since the epoch; undefined if the node no longer holds the attempt. */
  readonly untilMs?: number | undefined;
  /** From now on the attempt waits to be sealed, although its job is not in `sealing`, because its upload is in the incoming bucket. */
  readonly toSeal?: true | undefined;
};

/** The call that reports a change. `call`: its number, as `callNumber` returns it. */
export type ReportedOn = {
  readonly pool: string;
  readonly node: string;
  readonly atMs: number;
  readonly process: string;
  readonly call: number;
};

/** Why a call finds no node. `unknown`: the node is not in the ledger (yet). `over`: it is terminating or gone. */
type Unseen = { readonly kind: "unknown" | "over" };

/** What the calls of workers and the events of EC2 write about nodes and their attempts. */
export interface NodeLedger {
  /** Returns the node as it is now (a consistent read), or undefined if it is not in the pool's ledger. */
  get(pool: string, node: string): Promise<Node | undefined>;
  /** Begins a session for a process of the node's worker, which ends all earlier ones. */
  begin(pool: string, node: string, atMs: number): Promise<{ kind: "session"; session: number } | Unseen>;
  /**
   * Records a call of the node's worker: writes a heartbeat if one is due, and makes a `launching` node `ready`.
   * Returns the node as written; `joins`: the pool can use it from now on, because it was `launching` before, or its worker had not been heard
   * for so long that it got no work; `silentMs`: for how long that was, 0 otherwise.
   * `overtaken` and `no-session` as `placeOf` returns them; nothing was written.
   */
  seen(
    pool: string,
    node: string,
    sign: Sign,
  ): Promise<{ kind: "node"; node: Node; joins: boolean; silentMs: number } | { kind: "overtaken" | "no-session" } | Unseen>;
  /** Returns the job as it is now, or undefined if there is none. */
  job(ref: JobRef): Promise<Job | undefined>;
  /**
   * Records that the orders of these attempts are handed out now, which must be done before the worker gets them. Returns those that the node
   * still holds, whether their orders were handed out before or not. `place` may just have taken the others back.
   */
  handOut(pool: string, node: string, attempts: readonly AttemptRef[], atMs: number): Promise<readonly AttemptRef[]>;
  /** Sets by when these attempts must have ended their phases. One that the node does not hold any more is left out. */
  prolong(pool: string, node: string, attempts: readonly (AttemptRef & { readonly untilMs: number })[]): Promise<void>;
  /**
   * Writes the change, unless a later call than `call` has changed the assignment. An assignment that stays gets `process`, the run of
   * the worker's process that has it, and `call`. A job that goes back to
   * `queued` gets a queue entry and its next attempt. A job that ends or goes back loses its `node`, although that node may still hold
   * the attempt as `uploading`.
   * `stale`: the job is not in `from`, has another attempt, or is not on this node, or a later call was faster; nothing was written.
   */
  change(on: ReportedOn, change: AttemptChange): Promise<"done" | "stale">;
  /**
   * Records EC2's notice that it may take the instance back. A live node becomes `draining` and keeps the notice. A notice of an
   * interruption replaces one of a rebalance recommendation, and no other notice is replaced. A node that is terminating or gone stays
   * as it is. `unknown`: the instance is not ours, or not in the ledger.
   */
  noticed(node: string, notice: Notice, atMs: number): Promise<{ kind: "noted"; pool: string } | { kind: "unknown" }>;
  /**
   * Records that the instance has ended, as EC2 reports it. `unknown`: the instance is not ours, or not in the ledger. `stoppedAtMs`: it has
   * only stopped, at this time. If a process of its worker began a session later, it was started again, and nothing is recorded.
   */
  gone(node: string, atMs: number, stoppedAtMs?: number): Promise<{ kind: "noted"; pool: string } | { kind: "unknown" }>;
  /**
   * Records that an admin declares that the instance has ended. Does nothing if it is known to have ended, or is not ours. `heard`: its worker has
   * called since `lastSeenMs`, so nothing was written.
   */
  declareDead(node: string, declared: Declared, lastSeenMs: number | undefined): Promise<"done" | "heard">;
}

/** Calls `node` as workers do, over its URL. */
export interface Canary {
  /** Throws if there is no response of the function itself. A refusal by something in front of it is none. */
  call(): Promise<void>;
}
