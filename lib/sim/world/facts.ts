import type { Order } from "../../../events/node-call.ts";
import type { Dataset } from "../../model/dataset.ts";
import type { AttemptRef, Job, JobRef } from "../../model/job.ts";
import type { Launch, Reservation } from "../../model/launch.ts";
import type { Pool } from "../../model/pool.ts";
import type { Decision } from "../../ports/journal.ts";

/** A run of a job's program on one machine. */
export type ProgramRun = AttemptRef & { readonly instance: string; readonly rank: number };

/** Something that happened in the world, as the invariants are told of it. */
export type Fact =
  /** SQS took a team's message. */
  | ({ readonly kind: "sent" } & JobRef)
  /** A job's record was written. */
  | { readonly kind: "job"; readonly before: Job | undefined; readonly after: Job }
  /** What a pool has reserved has changed. */
  | { readonly kind: "reserved"; readonly pool: Pool; readonly reserved: Reservation }
  /** EC2 has begun an instance; `intended`: its launch was on record by then. */
  | { readonly kind: "instance"; readonly id: string; readonly launch: Launch; readonly intended: boolean }
  /** We had EC2 end an instance that lived. */
  | { readonly kind: "terminated"; readonly id: string }
  | { readonly kind: "ordered"; readonly instance: string; readonly order: Order }
  /** A program began to run, or runs no more. */
  | ({ readonly kind: "began" | "over" } & ProgramRun)
  /** A worker has uploaded all that an attempt leaves. */
  | { readonly kind: "uploaded"; readonly attempt: AttemptRef; readonly paths: readonly string[] }
  /** A dataset has another map. */
  | { readonly kind: "map"; readonly before: Dataset; readonly after: Dataset }
  | { readonly kind: "decided"; readonly decision: Decision }
  /** A handler has begun. */
  | { readonly kind: "invoked"; readonly handler: string };
