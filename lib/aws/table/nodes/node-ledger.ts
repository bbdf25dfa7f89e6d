import { callNumber, heartbeatOf, newDatasets, placeOf, type Sign, unheardForMs } from "../../../model/heartbeat/heartbeat.ts";
import type { AttemptRef } from "../../../model/job.ts";
import type { Node } from "../../../model/node.ts";
import type { NodeLedger } from "../../../ports/node-ledger.ts";
import { getItem, type Item, type TableAccess, tryUpdate, updateItem } from "../access.ts";
import { asRead } from "../as-read.ts";
import { add, type Change, either, is, isAbsent, isAtMost, isOneOf, isThere, set, setAll, setOnce } from "../expression.ts";
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
  handOut: (pool, node, attempts, atMs) =>
    changeHeld(access, { pool, node }, attempts, (name) => setOnce(["assignments", name, "orderedAtMs"], atMs)),

  async prolong(pool, node, attempts) {
    await changeHeld(access, { pool, node }, attempts, (name, { untilMs }) => set(["assignments", name, "untilMs"], untilMs));
  },

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
    await tryUpdate(access, nodeKey(pool, node), toGone({ atMs, stoppedAtMs }));
    return { kind: "noted", pool };
  },
  async declareDead(node, declared, lastSeenMs) {
    const pool = await poolOfInstance(access, node);
    if (pool === undefined) return "done";
    const unheard = lastSeenMs === undefined ? isAbsent("lastSeenMs") : is("lastSeenMs", lastSeenMs);
    const written = await transact(access, [
      { kind: "update", key: nodeKey(pool, node), ...toGone({ atMs: declared.atMs, declared }) },
      { kind: "check", key: heartbeatKey(pool, node), when: [unheard] },
    ]);
    return written !== "done" && written.failed.has(1) ? "heard" : "done";
  },
});

/** The most attempts that one write changes, because the expressions of an update are limited to 4 KB. */
const maxChanged = 20;

type Where = { readonly pool: string; readonly node: string };

/**
 * Changes what a node holds of these attempts in few writes, and returns those that it holds. If one of them is not there any more, its
 * write fails, and the others are changed one by one.
 */
async function changeHeld<A extends AttemptRef>(
  access: TableAccess,
  { pool, node }: Where,
  attempts: readonly A[],
  changeOf: (name: string, attempt: A) => Change,
): Promise<readonly A[]> {
  const change = (those: readonly A[]): Promise<Item | undefined> =>
    tryUpdate(access, nodeKey(pool, node), {
      changes: those.map((each) => changeOf(assignmentName(each), each)),
      when: those.map((each) => isThere(["assignments", assignmentName(each)])),
    });
  const held: A[] = [];
  for (let from = 0; from < attempts.length; from += maxChanged) {
    const those = attempts.slice(from, from + maxChanged);
    if (await change(those)) held.push(...those);
    else if (those.length > 1) for (const each of those) if (await change([each])) held.push(each);
  }
  return held;
}

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
  let before: Node | undefined;
  return asRead(call.node, async () => {
    const found = await live(access, call);
    if ("kind" in found) return found;
    const place = placeOf(found, call);
    if (place !== "next") return { kind: place };
    before ??= found;
    const outcome = await record(access, found, call);
    if (outcome === "changed") return "changed";
    const node = outcome === "recorded" ? await live(access, call) : found;
    return "kind" in node ? node : { kind: "node", node, ...backWith(call, { before, after: node }) };
  });
};

/** The recorded times show whether it was this call that brought the node back, even if the response to that update was lost. */
function backWith({ atMs }: Sign, { before, after }: { readonly before: Node; readonly after: Node }) {
  const silentMs = after.lastSeenMs === atMs ? unheardForMs(before, atMs) : 0;
  const hasBooted = before.state === "launching" && after.readyAtMs === atMs;
  return { joins: hasBooted || silentMs > 0, silentMs };
}

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
