import type { Order } from "../../../events/node-call.ts";
import type { Output } from "../program/program.ts";
import type { End, Running } from "../program/running.ts";
import type { Tries } from "../runtime/retry.ts";
import type { AttemptFolder } from "./folders.ts";

/** What a job's program needs to begin. */
export type JobStart = {
  readonly order: Extract<Order, { kind: "run" }>;
  /** There already, with the job's code in it. */
  readonly folder: AttemptFolder;
  /** Where its datasets lie; absent for none. */
  readonly data?: string | undefined;
  /** Indexes of the node's GPUs that it may use. */
  readonly gpus: readonly number[];
  /** Takes what the program writes. */
  readonly output: Output;
  /** Sees what Fleetwright itself has to say in the job's log. */
  readonly onLine: (line: string) => void;
  /** For what comes before the program; its signal says that the attempt was stopped. */
  readonly tries: Tries;
};

/**
 * Begins a job's program. Answers with it, or with how it ended without having begun. Throws a Fault in words for the
 * team when it cannot be begun, and anything else for trouble of this machine.
 */
export type BeginJob = (job: JobStart) => Promise<Running | End>;
