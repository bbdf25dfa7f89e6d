import type { Order } from "../../events/node-call.ts";
import type { AttemptFolder } from "./folders.ts";
import type { Tries } from "./retry.ts";

/** What a job's program needs to begin. */
export type JobStart = {
  readonly order: Extract<Order, { kind: "run" }>;
  /** There already, with the job's code in it. */
  readonly folder: AttemptFolder;
  /** Where its datasets lie; absent for none. */
  readonly data?: string | undefined;
  /** Indexes of the node's GPUs that it may use. */
  readonly gpus: readonly number[];
  /** Sees the lines of the job's log. */
  readonly onLine: (line: string) => void;
  /** For what comes before the program; its signal says that the attempt was stopped. */
  readonly tries: Tries;
};

/** The reason says what the code does not: the last lines on stderr, the signal, the time that ran out. */
export type Exit = { readonly code: number; readonly reason?: string | undefined };

/** `failed`: the machine lost the program, or could never run it; `again`: another try may succeed. */
export type End = ({ readonly kind: "exited" } & Exit) | { readonly kind: "failed"; readonly reason: string; readonly again: boolean };

/** A job's program at work, as a plain process or in a container. */
export type Running = {
  readonly startedAtMs: number;
  /** When it has ended and nothing of it is left. Never rejects. */
  readonly ended: Promise<End>;
  /** SIGTERM, and SIGKILL after the grace. May be called again, with less. */
  stop(graceMs: number): void;
};

/**
 * Begins a job's program. Answers with it, or with how it ended without having begun. Throws a Fault in words for the
 * team when it cannot be begun, and anything else for trouble of this machine.
 */
export type BeginJob = (job: JobStart) => Promise<Running | End>;

/** The exit code of `timeout(1)` for a program that ran too long. */
const tooLongCode = 124;

/** Stops it when its time is over. */
export function limitRuntime(running: Running, limit: { readonly maxRuntimeMs: number; readonly graceMs: number }): Running {
  let ranTooLong = false;
  const timer = setTimeout(() => {
    ranTooLong = true;
    running.stop(limit.graceMs);
  }, limit.maxRuntimeMs);
  const ended = running.ended.then((end): End => {
    clearTimeout(timer);
    return ranTooLong ? { kind: "exited", code: tooLongCode, reason: `ran longer than ${limit.maxRuntimeMs / 1000} s` } : end;
  });
  return { startedAtMs: running.startedAtMs, ended, stop: (graceMs) => running.stop(graceMs) };
}
