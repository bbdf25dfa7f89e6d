/**
 * The longest pause before a message that could not be handled is delivered again, in seconds, by its queue. The lane's is short, because
 * nothing is decided for a pool meanwhile. That for seals must be shorter than the time after which the tick sends such a message again. That for outboxes is short,
 * because an outbox counts only until the work of its node is taken back.
 */
export const longestPauses = { jobs: 120, lane: 50, later: 60, seal: 600, outboxes: 120, shards: 720 } as const;
export type WorkQueueKind = keyof typeof longestPauses;

const firstPauseSeconds = 5;
const growth = 6;
/** Messages that failed together are spread over this part of their pause. */
const spread = 0.1;
/** Trouble that is over within this time sends nothing to the dead letters. */
const patienceSeconds = 12 * 3_600;
/** SQS allows no more. */
const maxReceives = 1_000;

/** Returns the pause after a delivery that failed, in seconds. `received`: how often the message was delivered so far. `chance`: from 0 to 1. */
export function pauseSeconds(kind: WorkQueueKind, received: number, chance: number): number {
  const pause = Math.min(longestPauses[kind], firstPauseSeconds * growth ** (Math.max(1, received) - 1));
  return Math.ceil(pause * (1 - spread * chance));
}

/** Returns after how many deliveries a message is given up. */
export const receivesOf = (kind: WorkQueueKind): number =>
  Math.min(maxReceives, Math.ceil(patienceSeconds / ((1 - spread) * longestPauses[kind])) + 5);
