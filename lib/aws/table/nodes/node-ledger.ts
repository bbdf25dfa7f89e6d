import { callNumber, heartbeatOf, isSilent, newDatasets, placeOf, type Sign } from "../../../model/heartbeat/heartbeat.ts";
import type { AttemptRef } from "../../../model/job.ts";
import type { Node } from "../../../model/node.ts";
import type { NodeLedger } from "../../../ports/node-ledger.ts";
import { getItem, type Item, type TableAccess, tryUpdate, updateItem } from "../access.ts";
import { asRead } from "../as-read.ts";
import { add, either, is, isAbsent, isAtMost, isBelow, isOneOf, isThere, set, setAll, setOnce } from "../expression.ts";
import { heartbeatChanges, keptAfter } from "../items/heartbeat-item.ts";
import { poolOfInstance } from "../items/instance-item.ts";
import { readJob } from "../items/job-item.ts";
import { assignmentName, getNode, toGone } from "../items/node-item.ts";
import { forgottenNodeKey, heartbeatKey, nodeDatasetsKey, nodeKey } from "../keys.ts";
import { transact } from "../transaction.ts";
import { changeAttempt } from "./attempt-change.ts";

export const createNodeLedger = (access: TableAccess): NodeLedger => ({
  get: (pool, node) => getNode(access, pool, node),
  seen: (pool, node, sign) => seen(access, { pool, node, ...sign }),
  job: (ref) => readJob(access, ref),
  handOut: (pool, node, attempts, atMs) => handOut(access, { pool, node, attempts, atMs }),
  change: (on, change) => changeAttempt(access, on, change),

  async begin(pool, node, atMs) {
    const found = await live(access, { pool, node });
    if ("kind" in found) return found;
    // A repeat after a lost response counts twice. The worker uses the number that it got, and no other process has it.
    const { item } = await updateItem(access, heartbeatKey(pool, node), { changes: [add("session", 1), keptAfter(atMs)] });
    await tryUpdate(access, nodeKey(pool, node), { changes: [set("begunAtMs", atMs)], when: [isThere("pk")] });
    return { kind: "session", session: Number(item["session"]) };
  },

  async noticed(node, notice, atMs) {
    const pool = await poolOfInstance(access, node);
    if (pool === undefined) return { kind: "unknown" };
    const key = nodeKey(pool, node);
    const drained = (): Promise<Item | undefined> =>
      tryUpdate(access, key, {
        changes: [set("state", "draining"), set("stateSinceMs", atMs), set("notice", notice)],
        when: [isOneOf("state", ["launching", "ready"])],
      });
    if (await drained()) return { kind: "noted", pool };
    const news = [isAbsent("notice"), ...(notice.kind === "interruption" ? [is(["notice", "kind"], "rebalance")] : [])];
    const added = await tryUpdate(access, key, { changes: [set("notice", notice)], when: [is("state", "draining"), either(...news)] });
    // An admin's drain may have been dropped between the two updates. It is not ordered and dropped again within this call.
    if (!added) await drained();
    return { kind: "noted", pool };
  },

  async gone(node, atMs, stoppedAtMs) {
    const pool = await poolOfInstance(access, node);
    if (pool === undefined) return { kind: "unknown" };
    const { changes, when } = toGone(atMs);
    const isStopped = stoppedAtMs === undefined ? [] : [either(isAbsent("begunAtMs"), isBelow("begunAtMs", stoppedAtMs))];
    await tryUpdate(access, nodeKey(pool, node), { changes, when: [...when, ...isStopped] });
    return { kind: "noted", pool };
  },
  async declareDead(node, declared, lastSeenMs) {
    const pool = await poolOfInstance(access, node);
    if (pool === undefined) return "done";
    const unheard = lastSeenMs === undefined ? isAbsent("lastSeenMs") : is("lastSeenMs", lastSeenMs);
    const written = await transact(access, [
      { kind: "update", key: nodeKey(pool, node), ...toGone(declared.atMs, declared) },
      { kind: "check", key: heartbeatKey(pool, node), when: [unheard] },
    ]);
    return written !== "done" && written.failed.has(1) ? "heard" : "done";
  },
});

/** The most attempts that one write hands out, because the expressions of an update are limited to 4 KB. */
const maxHandedOut = 20;

type HandOut = { readonly pool: string; readonly node: string; readonly attempts: readonly AttemptRef[]; readonly atMs: number };

/** Hands out in few writes. If one of the attempts is not there any more, its write fails, and the others are handed out one by one. */
async function handOut(access: TableAccess, { pool, node, attempts, atMs }: HandOut): Promise<readonly AttemptRef[]> {
  const key = nodeKey(pool, node);
  const mark = (those: readonly AttemptRef[]): Promise<Item | undefined> => {
    const names = those.map(assignmentName);
    return tryUpdate(access, key, {
      changes: names.map((name) => setOnce(["assignments", name, "orderedAtMs"], atMs)),
      when: names.map((name) => isThere(["assignments", name])),
    });
  };
  const held: AttemptRef[] = [];
  for (let from = 0; from < attempts.length; from += maxHandedOut) {
    const those = attempts.slice(from, from + maxHandedOut);
    if (await mark(those)) held.push(...those);
    else if (those.length > 1) for (const each of those) if (await mark([each])) held.push(each);
  }
  return held;
}

type Where = { readonly pool: string; readonly node: string };

/** Returns a node that boots or works, or why there is none. */
async function live(access: TableAccess, { pool, node }: Where): Promise<Node | { readonly kind: "unknown" | "over" }> {
  const found = await getNode(access, pool, node);
  if (!found) return { kind: (await getItem(access, forgottenNodeKey(pool, node))) ? "over" : "unknown" };
  return found.state === "terminating" || found.state === "gone" ? { kind: "over" } : found;
}

/**
 * Records a call. Most calls write nothing, so the node is read first. If something is written, it is read again, because until the
 * node was ready, what it held may have been given to another node.
 */
const seen = (access: TableAccess, call: Where & Sign): ReturnType<NodeLedger["seen"]> => {
  let wasLaunching = false;
  let wasSilent = false;
  return asRead(call.node, async () => {
    const found = await live(access, call);
    if ("kind" in found) return found;
    const place = placeOf(found, call);
    if (place !== "next") return { kind: place };
    wasLaunching ||= found.state === "launching";
    wasSilent ||= isSilent(found, call.atMs);
    const outcome = await record(access, found, call);
    if (outcome === "changed") return "changed";
    const node = outcome === "recorded" ? await live(access, call) : found;
    // The recorded time shows whether it was this call that brought the node back, even if the response to that update was lost.
    if ("kind" in node) return node;
    const joins = (wasLaunching && node.readyAtMs === call.atMs) || (wasSilent && node.lastSeenMs === call.atMs);
    return { kind: "node", node, joins };
  });
};

/**
 * Writes what the call reports, if it is worth a write, unless a later call was faster. The heartbeat comes before the state, because a
 * ready node without a heartbeat would look silent.
 */
async function record(access: TableAccess, node: Node, call: Where & Sign): Promise<"recorded" | "nothing" | "changed"> {
  const { pool, atMs } = call;
  const number = callNumber(call);
  const isLater = either(isAbsent("call"), isAtMost("call", number));
  const datasets = newDatasets(node, call);
  const beat = heartbeatOf(node, call);
  const updates = [
    datasets && {
      key: nodeDatasetsKey(pool, node.id),
      changes: [set("datasets", datasets), set("call", number), keptAfter(atMs)],
      when: [isLater],
    },
    beat && { key: heartbeatKey(pool, node.id), changes: heartbeatChanges(beat), when: [is("session", call.session), isLater] },
    node.state === "launching" && {
      key: nodeKey(pool, node.id),
      changes: setAll({ state: "ready", readyAtMs: atMs, stateSinceMs: atMs }),
      when: [is("state", "launching")],
    },
  ].filter((update) => update !== undefined && update !== false);
  for (const { key, ...update } of updates) if (!(await tryUpdate(access, key, update))) return "changed";
  return updates.length > 0 ? "recorded" : "nothing";
}
