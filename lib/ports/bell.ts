import type { Cause } from "../model/cause.ts";

/** Counts what happened to a pool, in the table. */
export interface Bell {
  /**
   * Adds one, and keeps the cause for the next decision to put on record, each once and `mostCauses` at most.
   * `wasQuiet`: the last decision had heard everything before this ring, so somebody has to be woken.
   */
  ring(pool: string, cause: Cause): Promise<{ readonly wasQuiet: boolean }>;
}

/** Wakes `place`, one decision at a time for each pool. Every message has an id of its own: two rings are never folded into none. */
export interface Lane {
  send(pool: string): Promise<void>;
  /** Rings the pool's bell after a while: at most 15 minutes, which is as long as SQS holds a message back. */
  sendLater(pool: string, delaySeconds: number): Promise<void>;
}
