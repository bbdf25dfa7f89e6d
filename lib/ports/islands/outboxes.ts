import type { AttemptRef, OutboxRef } from "../../model/job.ts";

/** A key that encrypts the outbox of one attempt on one node, and the same key as only KMS can unwrap it. Both are base64. */
export type OutboxKey = { readonly dataKey: string; readonly wrappedKey: string };

export interface OutboxKeys {
  /** Returns a new key under the team's KMS key, bound to the attempt and the node. The plain key must never be stored or logged. */
  generate(of: AttemptRef & { readonly node: string }): Promise<OutboxKey>;
}

/** What nodes left on S3 of their attempts, because their calls got no response. */
export interface Outboxes {
  /**
   * Opens an outbox; undefined if there is no such object (any more). Its beginning is authentic: it was sealed with the data key of this
   * attempt on this node. Throws a FleetError, with `retry` unless it can never be opened.
   */
  open(outbox: OutboxRef): Promise<OpenedOutbox | undefined>;
}

export type OpenedOutbox = {
  /** The run of the worker's process that had the attempt. */
  readonly process: string;
  /** How the attempt ended: a report of a worker, which callers must check. */
  readonly report: unknown;
  /**
   * Puts what the attempt left where its worker would have uploaded it: its log, its files and, if all of the outbox is authentic, their list.
   * Twice has the same effect as once. `isWhole`: there is a list, and no file was left out for lack of room. Must be called at most once.
   */
  deliver(): Promise<{ readonly isWhole: boolean }>;
  /** Must be called when the outbox is not needed any more. */
  close(): void;
};

/** Finds outboxes on S3, because the event about one may be lost. */
export interface LeftOutboxes {
  /** Returns when the outbox was left, ms since the epoch; undefined if there is none. */
  leftAtMs(outbox: OutboxRef): Promise<number | undefined>;
}

/** Sends the message that S3's event about an outbox is. */
export interface OutboxQueue {
  send(outbox: OutboxRef): Promise<void>;
}

/** Who has sent a message about an outbox, so that ticks do not send it again and again. */
export interface OutboxClaims {
  /** Returns true if no one has claimed the outbox since `beforeMs`, and claims it. Of several calls at the same time one returns true. */
  claim(outbox: OutboxRef, at: { readonly beforeMs: number; readonly atMs: number }): Promise<boolean>;
  /** Gives back the claim of this time, because the message could not be sent. Another's claim stays. */
  release(outbox: OutboxRef, claimedAtMs: number): Promise<void>;
}
