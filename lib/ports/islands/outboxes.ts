import type { AttemptRef } from "../../model/job.ts";

/** A key that encrypts the outbox of one attempt on one node, and the same key as only KMS can unwrap it. Both are base64. */
export type OutboxKey = { readonly dataKey: string; readonly wrappedKey: string };

export interface OutboxKeys {
  /** Returns a new key under the team's KMS key, bound to the attempt and the node. The plain key must never be stored or logged. */
  generate(of: AttemptRef & { readonly node: string }): Promise<OutboxKey>;
}
