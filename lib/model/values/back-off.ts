/** Something that could not be done, and when it is tried again. What succeeds has none. */
export type BackOff = {
  /** What is tried, by a name that stays the same from one try to the next, for example "end i-0a1b". */
  readonly subject: string;
  /** How often in a row it has failed. */
  readonly failures: number;
  /** When it first failed, ms since the epoch. */
  readonly sinceMs: number;
  /** It is not tried before this, ms since the epoch. */
  readonly retryAtMs: number;
  /** Why it failed the last time. */
  readonly note: string;
};

/** How one try ended. `stale`: what it was based on had changed, so a new try, based on what holds now, may well succeed. */
export type Tried = { readonly subject: string; readonly result: "done" | "stale" | "failed"; readonly note: string };

/** The time before the second, third and later tries. So there are at most three tries in the first minute, and eleven in the next hour. */
const delaysMs = [2_000, 30_000, 60_000, 120_000, 240_000, 480_000];
/** The most subjects that are remembered for a pool. Of more, those that have failed most often are kept. */
export const maxBackOffs = 200;
const maxNoteLength = 300;
/** What has not been tried for this long, although it was due, is not wanted any more. */
const forgetAfterMs = 10 * 60_000;

/** Reports whether something has failed so often, for about half a minute or longer, that people should know. */
export const isStuck = ({ failures }: BackOff): boolean => failures > 2;

export const isResting = ({ retryAtMs }: BackOff, nowMs: number): boolean => nowMs < retryAtMs;

/** Returns what to remember after these tries, by subject. What was not tried stays as it is, until it is forgotten. */
export function backOffsAfter(before: readonly BackOff[], tries: readonly Tried[], nowMs: number): readonly BackOff[] {
  const known = new Map(before.filter(({ retryAtMs }) => nowMs - retryAtMs < forgetAfterMs).map((each) => [each.subject, each]));
  for (const { subject, result, note } of tries) {
    if (result === "done") known.delete(subject);
    else
      known.set(
        subject,
        after(known.get(subject), { subject, note, delaysMs: result === "stale" ? [0, ...delaysMs.slice(1)] : delaysMs, nowMs }),
      );
  }
  return [...known.values()]
    .toSorted((a, b) => b.failures - a.failures || a.sinceMs - b.sinceMs || (a.subject < b.subject ? -1 : 1))
    .slice(0, maxBackOffs);
}

function after(
  before: BackOff | undefined,
  tried: { readonly subject: string; readonly note: string; readonly delaysMs: readonly number[]; readonly nowMs: number },
): BackOff {
  const { subject, note, delaysMs, nowMs } = tried;
  const failures = (before?.failures ?? 0) + 1;
  const delayMs = delaysMs[Math.min(failures, delaysMs.length) - 1] ?? 0;
  return { subject, failures, sinceMs: before?.sinceMs ?? nowMs, retryAtMs: nowMs + delayMs, note: note.slice(0, maxNoteLength) };
}
