import type { DeadLetter, DeadQueue, TakenLetter } from "../../model/letters/dead-letter.ts";

/**
 * Messages that could not be handled, by the queue for which they were meant. To send a letter back, `send` it before it is deleted: if
 * the caller crashes in between, the message is repeated, and otherwise it would be lost.
 */
export interface DeadLetters {
  /**
   * Returns about how many letters there are, including those that somebody has taken; undefined if there is no such queue, or if the caller
   * may not know whether there is one.
   */
  count(of: DeadQueue): Promise<number | undefined>;
  /** Returns some of the letters, at most ten, and hides none of them. Each look counts as a receipt. */
  look(of: DeadQueue): Promise<readonly DeadLetter[]>;
  /** Takes some of the letters, at most `most` and ten, which no other receiver gets for a minute. None: there is nothing to take now. */
  take(of: DeadQueue, most: number): Promise<readonly TakenLetter[]>;
  /** Sends a message to the standard queue that the letters were meant for. */
  send(of: DeadQueue, body: string): Promise<void>;
  delete(of: DeadQueue, letter: TakenLetter): Promise<void>;
}
