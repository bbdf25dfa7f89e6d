/** `reason` explains the code: the last lines of stderr, the signal, or the time limit. */
export type Exit = { readonly code: number; readonly reason?: string | undefined };

/** `failed`: the machine lost the program or could not run it. `again`: another try may succeed. */
export type ProgramEnd =
  | ({ readonly kind: "exited" } & Exit)
  | { readonly kind: "failed"; readonly reason: string; readonly again: boolean };

/** A job's running program, as a plain process or in a container. */
export type Running = {
  readonly startedAtMs: number;
  /** Resolves when the program and all its processes have ended. Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** Sends SIGTERM, and SIGKILL after the grace period. May be called again with a shorter one. */
  stop(graceMs: number): void;
};

/** The exit code that `timeout(1)` uses for a program that ran too long. */
const tooLongCode = 124;

/** Stops a program when it exceeds its runtime. */
export function limitRuntime(running: Running, limit: { readonly maxRuntimeMs: number; readonly graceMs: number }): Running {
  let ranTooLong = false;
  const timer = setTimeout(() => {
    ranTooLong = true;
    running.stop(limit.graceMs);
  }, limit.maxRuntimeMs);
  const ended = running.ended.then((end): ProgramEnd => {
    clearTimeout(timer);
    return ranTooLong ? { kind: "exited", code: tooLongCode, reason: `ran longer than ${limit.maxRuntimeMs / 1000} s` } : end;
  });
  return { startedAtMs: running.startedAtMs, ended, stop: (graceMs) => running.stop(graceMs) };
}
