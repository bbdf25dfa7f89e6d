import type { AttemptRef, Job, JobChange, JobRef } from "../model/job.ts";
import type { Node } from "../model/node.ts";
import type { Notice, Telling } from "../model/telemetry.ts";

/** What a worker's report changes: the job's record, the node's assignment, or both, in one transaction. */
export type AttemptChange = {
  readonly attempt: AttemptRef;
  /** Absent: the job stays as it is. */
  readonly job?: JobChange | undefined;
  /** `removed`: the node holds the attempt no more. */
  readonly assignment: "running" | "uploading" | "removed";
  /** The attempt waits to be sealed from now on, though its job does not: its upload lies in the incoming bucket. */
  readonly toSeal?: true | undefined;
};

/** What workers' calls write. */
export interface NodeLedger {
  /** As it is now. */
  get(pool: string, node: string): Promise<Node | undefined>;
  /**
   * Notes a sign of life and what came with it: renews the lease and makes a `launching` node `ready`. Answers the node as written; `first`: it was `launching`.
   * `unknown`: not in the ledger (yet). `over`: it is terminating or gone.
   */
  seen(
    pool: string,
    node: string,
    life: { atMs: number; leaseUntilMs: number; telling?: Telling | undefined },
  ): Promise<{ kind: "node"; node: Node; first: boolean } | { kind: "unknown" } | { kind: "over" }>;
  job(ref: JobRef): Promise<Job | undefined>;
  /**
   * Writes what a report changes; an assignment that stays notes `process`, the run of the worker that has it. A job that goes
   * back to `queued` gets its queue entry and its next attempt. A job that ends or goes back is on no node any more, though its
   * node may still hold the attempt as `uploading`.
   * `stale`: the job is not in `from`, or not this attempt, or not on this node; nothing was written.
   */
  change(on: { pool: string; node: string; atMs: number; process: string }, change: AttemptChange): Promise<"done" | "stale">;
  /**
   * EC2 says that the instance will not stay: a node that lives is `draining` from now on and bears the notice, unless it
   * bears one that says as much. One that is terminating or gone stays as it is. `unknown`: not ours, or not in the ledger.
   */
  noticed(node: string, notice: Notice, atMs: number): Promise<{ kind: "noted"; pool: string } | { kind: "unknown" }>;
  /** EC2 says that the instance is over. `unknown`: not ours, or not in the ledger. */
  gone(node: string, atMs: number): Promise<{ kind: "noted"; pool: string } | { kind: "unknown" }>;
}
