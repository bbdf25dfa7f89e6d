import type { Fence, Written } from "../../ports/pool-ledger.ts";
import type { TableAccess } from "./access.ts";
import { add, is } from "./expression.ts";
import { fenceKey, fenceShards, poolKey } from "./keys.ts";
import { readPool } from "./pool-item.ts";
import { type Part, transact } from "./transaction.ts";

/** What came of a fenced transaction; `failed`: the places, in the parts given, whose conditions did not hold. */
export type FencedOutcome = "done" | "fenced" | { readonly failed: ReadonlySet<number> };

/** How much a write adds to the pool's reservation. */
export type ReservationChange = { readonly microUsd: number; readonly gpus: number };

/** Writes for one decision: every transaction holds the pool's epoch against the decision's. */
export type FencedWriter = {
  write(fence: Fence, parts: readonly Part[]): Promise<FencedOutcome>;
  /** The same for a write that changes what the pool has reserved: one after the other for each pool. */
  reserve(fence: Fence, change: ReservationChange, parts: readonly Part[]): Promise<FencedOutcome>;
  /** The answer of a write that turned out to have nothing to write. */
  unlessFenced(fence: Fence, answer: Written): Promise<Written>;
  /** Runs work on a pool's own item after all such work before it: side by side they would only cancel each other. */
  inTurn<T>(pool: string, work: () => Promise<T>): Promise<T>;
};

export function createFencedWriter(access: TableAccess): FencedWriter {
  let writes = 0;
  const turns = new Map<string, Promise<unknown>>();

  const held = async (fence: Part, parts: readonly Part[]): Promise<FencedOutcome> => {
    const outcome = await transact(access, [fence, ...parts]);
    if (outcome === "done") return "done";
    return outcome.failed.has(0) ? "fenced" : { failed: new Set([...outcome.failed].map((at) => at - 1)) };
  };

  const inTurn = <T>(pool: string, work: () => Promise<T>): Promise<T> => {
    const before = turns.get(pool) ?? Promise.resolve();
    const mine = before.then(work);
    turns.set(
      pool,
      mine.then(
        () => undefined,
        () => undefined,
      ),
    );
    return mine;
  };

  return {
    inTurn,
    unlessFenced: async ({ pool, epoch }, answer) => ((await readPool(access, pool)).epoch === epoch ? answer : "fenced"),
    write({ pool, epoch }, parts) {
      writes += 1;
      return held({ kind: "check", key: fenceKey(pool, writes % fenceShards), when: [is("epoch", epoch)] }, parts);
    },
    reserve: ({ pool, epoch }, { microUsd, gpus }, parts) =>
      inTurn(pool, () => {
        const changes = [add("reservedMicroUsd", microUsd), add("reservedGpus", gpus)];
        return held({ kind: "update", key: poolKey(pool), changes, when: [is("epoch", epoch)] }, parts);
      }),
  };
}

/** What to answer when nothing but the fence and what the write stands on can fail it. */
export async function written(outcome: FencedOutcome, wasDone: () => Promise<boolean>): Promise<Written> {
  if (typeof outcome === "string") return outcome;
  return (await wasDone()) ? "done" : "stale";
}
