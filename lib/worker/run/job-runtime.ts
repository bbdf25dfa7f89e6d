import type { Order } from "../../../events/node-call.ts";
import type { Output } from "../program/program.ts";
import type { ProgramEnd, Running } from "../program/running.ts";
import type { Tries } from "../runtime/retry.ts";
import type { AttemptFolder } from "./folders.ts";

/** What is needed to start a job's program. */
export type JobStart = {
  readonly order: Extract<Order, { kind: "run" }>;
  /** The attempt's folder. It must exist and contain the job's code. */
  readonly folder: AttemptFolder;
  /** The folder of its datasets; undefined if it has none. */
  readonly data?: string | undefined;
  /** Indexes of the node's GPUs that it may use. */
  readonly gpus: readonly number[];
  /** Receives what the program writes. */
  readonly output: Output;
  /** Receives Fleetwright's own lines for the job's log. */
  readonly onLine: (line: string) => void;
  /** For the steps before the program starts. Its signal is aborted if the attempt is stopped. */
  readonly tries: Tries;
};

/**
 * Starts a job's program. Returns the running program, or its end if it could not start because of the job itself. Throws a FleetError with a
 * message for the team if it cannot be started, and any other error for a problem of this machine.
 */
export type BeginJob = (job: JobStart) => Promise<Running | ProgramEnd>;
