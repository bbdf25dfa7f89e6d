import type { Cause } from "../model/cause.ts";

/** A counter per pool, in the table, of the facts that a decision must consider. */
export interface Bell {
  /**
   * Adds one, and keeps the cause so that the next decision can record it; each cause is kept once, `maxCauses` at most.
   * `wasQuiet`: the last decision had seen all earlier rings, so the caller must send a message to the lane.
   */
  ring(pool: string, cause: Cause): Promise<{ readonly wasQuiet: boolean }>;
}

/**
 * Wakes `place`, one decision at a time per pool. Each message has a unique deduplication id, so that SQS never drops a ring
 * as a duplicate of an earlier one, unless the caller wants that.
 */
export interface Lane {
  /** `once`: a message of the pool with the same text that was sent within the last five minutes is enough, even if it was handled since. */
  send(pool: string, once?: string): Promise<void>;
  /** Rings the pool's bell after `delaySeconds`: at most 900, because SQS delays no message for longer than 15 minutes. */
  sendLater(pool: string, delaySeconds: number): Promise<void>;
}
