import type { Node } from "../model/node.ts";

/** Reads nodes for people. Results may be a moment old, so decisions must not use them. */
export interface NodeReader {
  /** Returns at most `limit` nodes of a pool, by id, beginning after the id `after`; without those that have left its ledger. */
  list(pool: string, from: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly Node[]>;
  /** Returns a node of any pool, including nodes that ended within the last two weeks, or undefined if there is none. */
  find(node: string): Promise<Node | undefined>;
}
