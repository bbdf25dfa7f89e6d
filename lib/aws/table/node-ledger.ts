import * as z from "zod";
import { Fault } from "../../model/fault.ts";
import type { NodeLedger } from "../../ports/node-ledger.ts";
import { ConditionsFailed, getItem, type Item, type TableAccess, updateItem } from "./access.ts";
import { changeAttempt } from "./attempt-change.ts";
import { type Change, type Condition, is, isAtMost, isNot, isOneOf, isThere, set } from "./expression.ts";
import { readJob } from "./job-item.ts";
import { forgottenNodeKey, instanceKey, nodeKey } from "./keys.ts";
import { nodeOf } from "./node-item.ts";
import { stored } from "./stored.ts";

const StoredInstance = z.object({ pool: z.string() });

export const createNodeLedger = (access: TableAccess): NodeLedger => ({
  async get(pool, node) {
    const item = await getItem(access, nodeKey(pool, node));
    return item && nodeOf(item);
  },
  seen: (pool, node, life) => seen(access, { pool, node, ...life }),
  job: (ref) => readJob(access, ref),
  change: (on, change) => changeAttempt(access, on, change),

  async gone(node, atMs) {
    const item = await getItem(access, instanceKey(node));
    if (!item) return { kind: "unknown" };
    const { pool } = stored(StoredInstance, item);
    await tryUpdate(access, nodeKey(pool, node), {
      changes: [set("state", "gone"), set("stateSinceMs", atMs)],
      when: [isThere("pk"), isNot("state", "gone")],
    });
    return { kind: "noted", pool };
  },
});

type Sign = { readonly pool: string; readonly node: string; readonly atMs: number; readonly leaseUntilMs: number };

/** The first sign of life is rare and the others are many, so the usual write comes first and says by failing that it was another case. */
async function seen(access: TableAccess, sign: Sign): ReturnType<NodeLedger["seen"]> {
  const key = nodeKey(sign.pool, sign.node);
  const life = [set("lastSeenMs", sign.atMs), set("leaseUntilMs", sign.leaseUntilMs)];
  for (let tries = 0; tries < 3; tries += 1) {
    const renewed = await tryUpdate(access, key, {
      changes: life,
      // A call that was overtaken by a later one must not shorten the lease that the later one was told.
      when: [isOneOf("state", ["ready", "draining"]), isAtMost("leaseUntilMs", sign.leaseUntilMs)],
    });
    if (renewed) return asSeen(renewed, sign);
    const item = await getItem(access, key);
    if (!item) return (await getItem(access, forgottenNodeKey(sign.pool, sign.node))) ? { kind: "over" } : { kind: "unknown" };
    const { state, leaseUntilMs } = nodeOf(item);
    if (state === "terminating" || state === "gone") return { kind: "over" };
    if (state !== "launching" && leaseUntilMs > sign.leaseUntilMs) return asSeen(item, sign);
    const first = await tryUpdate(access, key, {
      changes: [...life, set("state", "ready"), set("readyAtMs", sign.atMs), set("stateSinceMs", sign.atMs)],
      when: [is("state", "launching")],
    });
    if (first) return asSeen(first, sign);
  }
  throw new Fault("table-busy", `${sign.node} kept changing`, { retry: true });
}

/** `first` is told by the time that was written, so that a repeat of the first call is the first one too. */
function asSeen(item: Item, { atMs }: Sign): { kind: "node"; node: ReturnType<typeof nodeOf>; first: boolean } {
  const node = nodeOf(item);
  return { kind: "node", node, first: node.readyAtMs === atMs };
}

/** Undefined when the conditions do not hold. */
async function tryUpdate(
  access: TableAccess,
  key: ReturnType<typeof nodeKey>,
  to: { changes: readonly Change[]; when: readonly Condition[] },
): Promise<Item | undefined> {
  try {
    return (await updateItem(access, key, to)).item;
  } catch (error) {
    if (error instanceof ConditionsFailed) return undefined;
    throw error;
  }
}
