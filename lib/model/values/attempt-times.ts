/** The longest run that a job may ask for, s. A pool may allow less. */
export const maxRunSeconds = 14 * 86_400;
/** What a job asks for if its message names no time, s. A pool that allows less gives such a job what it allows. */
export const defaultRunSeconds = 86_400;
/** How long after a run's limit its worker may still report that it runs, s: the worker stops it, and the report takes a call. */
export const maxRunGraceSeconds = 120;
/** How long an attempt may be prepared on its node before its program starts, s: its node boots, and code, datasets and image are fetched. */
export const maxPreparingSeconds = 12 * 3_600;
/** How long an attempt may upload its files after its program has ended, s. */
export const maxUploadingSeconds = 6 * 3_600;
/** How long a worker may ignore the order to stop an attempt whose time is over, s. Then its node is ended. */
export const maxDefianceSeconds = 600;

type Phase = "placed" | "running" | "uploading";

/** Returns for how many seconds a run of a job may go on in a pool. */
export const runSecondsIn = (pool: { readonly maxRuntimeSeconds?: number | undefined } | undefined, asked: number): number =>
  Math.min(asked, pool?.maxRuntimeSeconds ?? asked);

/** Returns when a phase that begins now must be over, ms since the epoch. `runSeconds`: for how long the program may run. */
export function phaseEndsAtMs(phase: Phase, nowMs: number, runSeconds: number): number {
  const seconds = { placed: maxPreparingSeconds, running: runSeconds + maxRunGraceSeconds, uploading: maxUploadingSeconds };
  return nowMs + seconds[phase] * 1000;
}

/** Returns why an attempt's time on its node is over; undefined if it is not. */
export function whyOverdue(
  { phase, untilMs }: { readonly phase: Phase; readonly untilMs?: number | undefined },
  nowMs: number,
): string | undefined {
  if (untilMs === undefined || nowMs <= untilMs) return undefined;
  switch (phase) {
    case "placed":
      return `its program did not start within ${maxPreparingSeconds} s`;
    case "running":
      return "it ran longer than its limit of time";
    case "uploading":
      return `it uploaded its files for longer than ${maxUploadingSeconds} s`;
  }
}
