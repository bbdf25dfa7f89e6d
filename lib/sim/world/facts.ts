import type { Order } from "../../../events/node-call.ts";
import type { TakenOutbox } from "../../flows/take-outbox.ts";
import type { Dataset } from "../../model/dataset.ts";
import type { AttemptRef, Job, JobRef, OutboxRef } from "../../model/job.ts";
import type { Launch, Reservation } from "../../model/launch.ts";
import type { Pool } from "../../model/pool.ts";
import type { Notice } from "../../model/telemetry.ts";
import type { DecisionRecord } from "../../ports/journal.ts";
import type { FaultKind } from "../faults/faults.ts";
import type { SpoiledItem } from "../memory/unreadable.ts";

/** A run of a job's program on one machine. */
export type ProgramRun = AttemptRef & { readonly instance: string; readonly rank: number };

/** Something that happened in the world and is reported to the invariants. */
export type Fact =
  /** SQS accepted a team's message. */
  | ({ readonly kind: "sent" } & JobRef)
  /** A job's record was written. */
  | { readonly kind: "job"; readonly before: Job | undefined; readonly after: Job }
  /** A pool's reservations changed. */
  | { readonly kind: "reserved"; readonly pool: Pool; readonly reserved: Reservation }
  /** The intent of a launch was recorded, or had been by an earlier call. */
  | { readonly kind: "intended"; readonly launch: Launch }
  /** EC2 launched an instance. `intended` is true if its launch was recorded by then. */
  | { readonly kind: "instance"; readonly id: string; readonly launch: Launch; readonly intended: boolean }
  /** A handler had EC2 terminate a live instance. */
  | { readonly kind: "terminated"; readonly id: string }
  /** An instance has ended, and EC2 says so. */
  | { readonly kind: "ended"; readonly id: string }
  /** Somebody has stopped an instance. It may be started again, and boots then. */
  | { readonly kind: "stopped"; readonly id: string }
  | { readonly kind: "ordered"; readonly instance: string; readonly order: Order }
  /** A program began to run, or stopped running. */
  | ({ readonly kind: "began" | "over" } & ProgramRun)
  /** A program ended with another code than 0 by itself. An upload that fails, or data that cannot be read, is no fault of the job. */
  | { readonly kind: "failed"; readonly attempt: AttemptRef; readonly instance: string }
  /** A worker got orders in response to a report, which was recorded but for the attempts `unrecorded`. `sentAtMs`: when it sent the report. */
  | { readonly kind: "answered"; readonly instance: string; readonly sentAtMs: number; readonly unrecorded: readonly AttemptRef[] }
  /** EC2 announced that it takes an instance back, or may do so. Its worker reports that with its next call. */
  | { readonly kind: "warned"; readonly id: string; readonly notice: Notice["kind"] }
  /** A worker uploaded all files of an attempt. */
  | { readonly kind: "uploaded"; readonly attempt: AttemptRef; readonly paths: readonly string[] }
  /** A worker that gets no response left the end of an attempt in its outbox, with all that belongs to it. */
  | { readonly kind: "left"; readonly outbox: OutboxRef; readonly isGood: boolean }
  /** An outbox was handled to the end. */
  | { readonly kind: "taken"; readonly outbox: OutboxRef; readonly how: TakenOutbox["kind"] }
  /** A dataset got another map. */
  | { readonly kind: "map"; readonly before: Dataset; readonly after: Dataset }
  | { readonly kind: "decided"; readonly decision: DecisionRecord }
  /** An item became unreadable, or readable again: then `item` is undefined. */
  | { readonly kind: "spoiled"; readonly item: SpoiledItem | undefined }
  /** The names of the items that problems name. */
  | { readonly kind: "problems"; readonly names: readonly string[] }
  /** A fault struck. */
  | { readonly kind: "fault"; readonly fault: FaultKind }
  /** A decision about a pool has begun. It reads everything after that. */
  | { readonly kind: "deciding"; readonly pool: string }
  /** A handler was invoked. */
  | { readonly kind: "invoked"; readonly handler: string };
