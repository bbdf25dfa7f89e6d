import type { AttemptNode } from "../../../model/history/attempt.ts";
import type { QueueEntry } from "../../../model/job.ts";
import type { Fence } from "../../../ports/pool-ledger.ts";
import { maxParts, type Part } from "../transaction.ts";
import type { FencedOutcome } from "./fenced-write.ts";

/** A job to be bound to a node. `entry` has the number with which its attempt begins, `waitsAs` is the number with which it waits. */
export type Bind = { readonly entry: QueueEntry; readonly waitsAs: number; readonly node: AttemptNode; readonly atMs: number };
/** Returns the writes for the job. */
type JobParts = (pool: string, bind: Bind) => readonly Part[];
/** Returns the write that makes the node hold the attempts. */
type NodePart = (pool: string, node: string, binds: readonly Bind[]) => Part;

type Write = (fence: Fence, parts: readonly Part[]) => Promise<FencedOutcome>;
type Pending = { readonly bind: Bind; readonly parts: readonly Part[]; readonly outcome: PromiseWithResolvers<FencedOutcome> };

/**
 * Binds jobs to a node in as few transactions as possible, because those of one node would cancel each other if they ran at the same time,
 * and take long one after the other. What is bound while a transaction of its node is under way goes into the next one.
 */
export class BindBatches {
  readonly #write: Write;
  readonly #jobParts: JobParts;
  readonly #nodePart: NodePart;
  /** What waits, by node. A node with an entry has a transaction under way. */
  readonly #pending = new Map<string, Pending[]>();

  constructor(of: { readonly write: Write; readonly jobParts: JobParts; readonly nodePart: NodePart }) {
    this.#write = of.write;
    this.#jobParts = of.jobParts;
    this.#nodePart = of.nodePart;
  }

  /** Binds a job. If the conditions of one job do not hold, those that were in its transaction are bound one by one. */
  add(fence: Fence, bind: Bind): Promise<FencedOutcome> {
    const outcome = Promise.withResolvers<FencedOutcome>();
    const each = { bind, parts: this.#jobParts(fence.pool, bind), outcome };
    const name = `${fence.pool} ${fence.epoch} ${bind.node.id}`;
    const waiting = this.#pending.get(name);
    if (waiting) waiting.push(each);
    else {
      const first = [each];
      this.#pending.set(name, first);
      void this.#workOff(fence, { name, node: bind.node.id, waiting: first });
    }
    return outcome.promise;
  }

  /** Binds those that wait for a node, until none is left. Never rejects. */
  async #workOff(fence: Fence, { name, node, waiting }: { name: string; node: string; waiting: Pending[] }): Promise<void> {
    // All that is bound in the same turn of the event loop goes together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = firstOf(waiting);
      if ((await this.#together(fence, node, batch)) === "settled") continue;
      for (const each of batch) await this.#together(fence, node, [each]);
    }
    // No await between the last look and this, so that a bind that is added now finds no queue and begins one.
    this.#pending.delete(name);
  }

  /** Returns `apart` if the conditions of one of several did not hold: nothing was written, and nothing is settled. */
  async #together(fence: Fence, node: string, batch: readonly Pending[]): Promise<"settled" | "apart"> {
    try {
      const held = this.#nodePart(
        fence.pool,
        node,
        batch.map(({ bind }) => bind),
      );
      const written = await this.#write(fence, [...batch.flatMap(({ parts }) => parts), held]);
      if (typeof written === "object" && batch.length > 1) return "apart";
      for (const { outcome } of batch) outcome.resolve(written);
    } catch (error) {
      for (const { outcome } of batch) outcome.reject(error);
    }
    return "settled";
  }
}

/** Removes and returns as many of those that wait as fit in one transaction with the fence and the node. */
function firstOf(waiting: Pending[]): readonly Pending[] {
  let parts = 2;
  const end = waiting.findIndex((each) => {
    parts += each.parts.length;
    return parts > maxParts;
  });
  return waiting.splice(0, end < 0 ? waiting.length : Math.max(1, end));
}
