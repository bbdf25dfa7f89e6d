import type { Node } from "../model/node.ts";

/** Reads nodes for people. May lag behind by a moment; decisions never use it. */
export interface NodeReader {
  /** Nodes of a pool, by id, from the first one after `after` on; without those that have left its ledger. */
  list(pool: string, from: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly Node[]>;
  /** Any node of ours, for two weeks after its end, too. */
  find(node: string): Promise<Node | undefined>;
}
