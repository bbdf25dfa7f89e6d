import type { NodeTelemetry } from "../../../model/telemetry.ts";
import type { NodeLedger } from "../../../ports/node-ledger.ts";
import { getItem, type Item, type TableAccess, tryUpdate } from "../access.ts";
import { asRead } from "../as-read.ts";
import { type Change, either, is, isAbsent, isAtMost, isNot, isOneOf, isThere, set } from "../expression.ts";
import { poolOfInstance } from "../items/instance-item.ts";
import { readJob } from "../items/job-item.ts";
import { nodeOf } from "../items/node-item.ts";
import { forgottenNodeKey, nodeKey } from "../keys.ts";
import { changeAttempt } from "./attempt-change.ts";

export const createNodeLedger = (access: TableAccess): NodeLedger => ({
  async get(pool, node) {
    const item = await getItem(access, nodeKey(pool, node));
    return item && nodeOf(item);
  },
  seen: (pool, node, life) => seen(access, { pool, node, ...life }),
  job: (ref) => readJob(access, ref),
  change: (on, change) => changeAttempt(access, on, change),

  async noticed(node, notice, atMs) {
    const pool = await poolOfInstance(access, node);
    if (pool === undefined) return { kind: "unknown" };
    const key = nodeKey(pool, node);
    const drained = await tryUpdate(access, key, {
      changes: [set("state", "draining"), set("stateSinceMs", atMs), set("notice", notice)],
      when: [isOneOf("state", ["launching", "ready"])],
    });
    if (drained) return { kind: "noted", pool };
    // A node never leaves `draining` for an earlier state, so no change between the two updates can matter.
    const news = [isAbsent("notice"), ...(notice.kind === "interruption" ? [is(["notice", "kind"], "rebalance")] : [])];
    await tryUpdate(access, key, { changes: [set("notice", notice)], when: [is("state", "draining"), either(...news)] });
    return { kind: "noted", pool };
  },

  async gone(node, atMs) {
    const pool = await poolOfInstance(access, node);
    if (pool === undefined) return { kind: "unknown" };
    await tryUpdate(access, nodeKey(pool, node), {
      changes: [set("state", "gone"), set("stateSinceMs", atMs)],
      when: [isThere("pk"), isNot("state", "gone")],
    });
    return { kind: "noted", pool };
  },
});

type Seen = Awaited<ReturnType<NodeLedger["seen"]>>;
type Sign = {
  readonly pool: string;
  readonly node: string;
  readonly atMs: number;
  readonly leaseUntilMs: number;
  readonly telemetry?: NodeTelemetry | undefined;
};

/** Records a sign of life. The usual update is tried first, because first signs are rare; its failure shows that it is another case. */
const seen = (access: TableAccess, sign: Sign): ReturnType<NodeLedger["seen"]> => {
  let wasLaunching = false;
  return asRead(sign.node, async () => {
    const key = nodeKey(sign.pool, sign.node);
    const renewed = await tryUpdate(access, key, {
      changes: life(sign),
      // A call that was overtaken by a later one must not shorten the lease that the later one got.
      when: [isOneOf("state", ["ready", "draining"]), isAtMost("leaseUntilMs", sign.leaseUntilMs)],
    });
    if (renewed) return asSeen(renewed, { ...sign, wasLaunching });
    const item = await getItem(access, key);
    if (!item) return { kind: (await getItem(access, forgottenNodeKey(sign.pool, sign.node))) ? "over" : "unknown" };
    wasLaunching ||= nodeOf(item).state === "launching";
    return seenOtherwise(access, { ...sign, wasLaunching }, item);
  });
};

/** A sign of life. `wasLaunching` says that this call has found the node launching. */
type Sighting = Sign & { readonly wasLaunching: boolean };

async function seenOtherwise(access: TableAccess, sign: Sighting, item: Item): Promise<Seen | "changed"> {
  const { state, leaseUntilMs } = nodeOf(item);
  switch (state) {
    case "terminating":
    case "gone":
      return { kind: "over" };
    case "ready":
    case "draining":
      return leaseUntilMs > sign.leaseUntilMs ? asSeen(item, sign) : "changed";
    case "launching": {
      const first = await tryUpdate(access, nodeKey(sign.pool, sign.node), {
        changes: [...life(sign), set("state", "ready"), set("readyAtMs", sign.atMs), set("stateSinceMs", sign.atMs)],
        when: [is("state", "launching")],
      });
      return first ? asSeen(first, sign) : "changed";
    }
  }
}

/** Returns the changes of a sign of life. Values that are not reported do not change. */
const life = ({ atMs, leaseUntilMs, telemetry: { address, gpus, gpusBusyAtMs, datasets } = {} }: Sign): Change[] => [
  set("lastSeenMs", atMs),
  set("leaseUntilMs", leaseUntilMs),
  ...(address === undefined ? [] : [set("address", address)]),
  ...(gpus === undefined ? [] : [set("gpus", gpus), set("gpusAtMs", atMs)]),
  ...(gpusBusyAtMs === undefined ? [] : [set("gpusBusyAtMs", gpusBusyAtMs)]),
  ...(datasets === undefined ? [] : [set("datasets", datasets)]),
];

/** Returns a seen node. The recorded time shows whether this call made it ready, even if the response to that update was lost. */
function asSeen(item: Item, { atMs, wasLaunching }: Sighting): Seen {
  const node = nodeOf(item);
  return { kind: "node", node, first: wasLaunching && node.readyAtMs === atMs };
}
