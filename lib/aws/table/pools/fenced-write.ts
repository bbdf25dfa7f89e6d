import type { Fence, Written } from "../../../ports/pool-ledger.ts";
import type { TableAccess } from "../access.ts";
import { is } from "../expression.ts";
import { readPool } from "../items/pool-item.ts";
import { type Amount, reserving, reservingTries, widerParts } from "../items/reserved-item.ts";
import { fenceKey, fenceShards, poolKey } from "../keys.ts";
import { type Part, transact } from "../transaction.ts";

/** The outcome of a fenced transaction. `failed` holds the indexes of the given parts whose conditions did not hold. */
export type FencedOutcome = "done" | "fenced" | { readonly failed: ReadonlySet<number> };

/** How much a write adds to the reservations of the pool, the deployment and the team, if there is one. */
type ReservationChange = { readonly team: string | undefined; readonly amount: Amount };

/** Writes for a decision. Every transaction checks that the pool's epoch is still the decision's. */
export type FencedWriter = {
  write(fence: Fence, parts: readonly Part[]): Promise<FencedOutcome>;
  /** Does the same for a write that changes reservations. Such writes run one after the other. */
  reserve(fence: Fence, change: ReservationChange, parts: readonly Part[]): Promise<FencedOutcome>;
  /** Returns the given result for a write that has nothing to write, or "fenced" if the epoch is not current. */
  unlessFenced(fence: Fence, outcome: Written): Promise<Written>;
  /** Runs work on counters of reservations after all earlier such work, because concurrent transactions would only cancel each other. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
};

export function createFencedWriter(access: TableAccess): FencedWriter {
  let writes = 0;
  let last: Promise<unknown> = Promise.resolve();

  const held = async (fence: readonly Part[], parts: readonly Part[], tries?: number): Promise<FencedOutcome> => {
    const outcome = await transact(access, [...fence, ...parts], tries);
    if (outcome === "done") return "done";
    return outcome.failed.has(0) ? "fenced" : { failed: new Set([...outcome.failed].map((at) => at - fence.length)) };
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    inTurn,
    unlessFenced: async ({ pool, epoch }, outcome) => ((await readPool(access, pool)).epoch === epoch ? outcome : "fenced"),
    write({ pool, epoch }, parts) {
      writes += 1;
      return held([{ kind: "check", key: fenceKey(pool, writes % fenceShards), when: [is("epoch", epoch)] }], parts);
    },
    reserve: ({ pool, epoch }, change, parts) =>
      inTurn(() =>
        held(
          [{ kind: "update", key: poolKey(pool), changes: reserving(change.amount), when: [is("epoch", epoch)] }, ...widerParts(change)],
          parts,
          reservingTries,
        ),
      ),
  };
}

/** Returns the result of a write that only the fence or its own conditions can fail. */
export async function written(outcome: FencedOutcome, wasDone: () => Promise<boolean>): Promise<Written> {
  if (typeof outcome === "string") return outcome;
  return (await wasDone()) ? "done" : "stale";
}
