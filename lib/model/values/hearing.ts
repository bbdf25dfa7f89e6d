/** Whether we can hear workers at all, as the tick notes it once a minute after a call to `node` that succeeded. */
export type Hearing = {
  /** When the last such call succeeded, ms since the epoch. */
  readonly atMs: number;
  /** Since when they have succeeded without a gap, ms since the epoch. */
  readonly sinceMs: number;
};

/** Between two notes there is a minute. If one is missing for longer than this, it is unknown whether workers were heard. */
const gapMs = 3 * 60_000;
/** After a gap, all workers get this long to call again before one of them is judged by its silence. */
const settleMs = 15 * 60_000;

/** Returns what to note after a call that succeeded. */
export const heardAt = (before: Hearing | undefined, atMs: number): Hearing => ({
  atMs,
  sinceMs: before && atMs - before.atMs < gapMs ? before.sinceMs : atMs,
});

/**
 * Returns from when a time that workers have counts, if it began at `fromMs`: from then, or from when we began to hear them, if that is later.
 * While we do not know that we hear them, no time passes.
 */
export const heardFrom = (hearing: Hearing | undefined, fromMs: number, nowMs: number): number =>
  hearing && nowMs - hearing.atMs < gapMs ? Math.max(fromMs, hearing.sinceMs) : Math.max(fromMs, nowMs);

/** Reports whether workers may be judged by their silence now. */
export const mayJudgeSilence = (hearing: Hearing | undefined, nowMs: number): boolean => nowMs - heardFrom(hearing, 0, nowMs) >= settleMs;
