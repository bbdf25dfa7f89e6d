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
