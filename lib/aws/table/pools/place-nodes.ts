import { keptMs } from "../../../model/values/kept.ts";
import type { Fence, Placements, Written } from "../../../ports/pool-ledger.ts";
import { getItem, type TableAccess } from "../access.ts";
import { asRead } from "../as-read.ts";
import { type Change, is, isAbsent, isEmpty, isNot, isOneOf, isThere, set } from "../expression.ts";
import { bootFailureItem, silentEndItem } from "../items/boot-failure-item.ts";
import { type ReadNode, readNode, readNodeItems, readNodeOf, toGone } from "../items/node-item.ts";
import { minus, nothing } from "../items/reserved-item.ts";
import { spentParts } from "../items/spent-item.ts";
import { bootFailureKey, forgottenNodeKey, heartbeatKey, instanceKey, nodeDatasetsKey, nodeKey } from "../keys.ts";
import { ttlAfter } from "../stored.ts";
import { maxParts, type Part } from "../transaction.ts";
import { type FencedOutcome, type FencedWriter, written } from "./fenced-write.ts";

/** Writes the changes that `place` makes to nodes that end or have ended. */
export const createNodePlacements = (
  access: TableAccess,
  { write, reserve, unlessFenced }: FencedWriter,
): Pick<
  Placements,
  | "fenceIdle"
  | "withdraw"
  | "endedSilent"
  | "missing"
  | "impaired"
  | "gone"
  | "drain"
  | "undrain"
  | "bootFailed"
  | "healed"
  | "terminating"
  | "removeNode"
> => {
  /** Writes the parts. If the node's reservation is not yet released, the same transaction releases it and records the node's cost. */
  const release = (fence: Fence, ending: { node: ReadNode; atMs: number }, parts: readonly Part[]): Promise<FencedOutcome> => {
    const { node, atMs } = ending;
    const back = minus(nothing, { microUsd: node.reservedMicroUsd, gpus: node.reservedGpus });
    return node.released ? write(fence, parts) : reserve(fence, { team: node.team, amount: back }, [...parts, ...spentParts(node, atMs)]);
  };

  const note = async (fence: Fence, node: string, changes: readonly Change[]): Promise<Written> => {
    const outcome = await write(fence, [{ kind: "update", key: nodeKey(fence.pool, node), changes, when: [isThere("pk")] }]);
    return written(outcome, async () => false);
  };

  return {
    async fenceIdle(fence, node, atMs) {
      const outcome = await write(fence, [
        {
          kind: "update",
          key: nodeKey(fence.pool, node),
          changes: [set("state", "draining"), set("stateSinceMs", atMs)],
          when: [isOneOf("state", ["launching", "ready"]), isEmpty("assignments")],
        },
      ]);
      return written(outcome, async () => {
        const now = await readNode(access, fence.pool, node);
        return now?.state === "draining" && Object.keys(now.assignments).length === 0;
      });
    },

    async withdraw(fence, node, atMs) {
      const outcome = await write(fence, [
        {
          kind: "update",
          key: nodeKey(fence.pool, node),
          changes: [set("state", "draining"), set("stateSinceMs", atMs)],
          when: [isOneOf("state", ["launching", "ready"])],
        },
      ]);
      return written(outcome, async () => (await readNode(access, fence.pool, node)) !== undefined);
    },

    async endedSilent(fence, end) {
      const outcome = await write(fence, [{ kind: "put", item: silentEndItem(fence.pool, end) }]);
      return written(outcome, async () => false);
    },

    missing: (fence, node, sinceMs) => note(fence, node, [set("missingSinceMs", sinceMs)]),
    impaired: (fence, node, sinceMs) => note(fence, node, [set("impairedSinceMs", sinceMs)]),

    async gone(fence, node, at) {
      const outcome = await write(fence, [{ kind: "update", key: nodeKey(fence.pool, node), ...toGone(at) }]);
      return written(outcome, async () => (await readNode(access, fence.pool, node))?.state === "gone");
    },

    async drain(fence, { node, drain, atMs }) {
      const outcome = await write(fence, [
        {
          kind: "update",
          key: nodeKey(fence.pool, node),
          changes: [set("state", "draining"), set("stateSinceMs", atMs), set("drain", drain)],
          when: [isOneOf("state", ["launching", "ready", "draining"]), isAbsent("drain")],
        },
      ]);
      return written(outcome, async () => {
        const now = await readNode(access, fence.pool, node);
        return now?.state === "draining" && now.drain !== undefined;
      });
    },

    async undrain(fence, { node, drain, atMs }) {
      const outcome = await write(fence, [
        {
          kind: "update",
          key: nodeKey(fence.pool, node),
          changes: [set("state", "ready"), set("stateSinceMs", atMs), set("drain", undefined)],
          when: [is("state", "draining"), is("drain", drain), isAbsent("notice"), isThere("readyAtMs")],
        },
      ]);
      return written(outcome, async () => {
        const now = await readNode(access, fence.pool, node);
        return now?.state === "ready" && now.drain === undefined;
      });
    },

    async bootFailed(fence, failure) {
      const outcome = await write(fence, [{ kind: "put", item: bootFailureItem(fence.pool, failure) }]);
      return written(outcome, async () => false);
    },

    async healed(fence, nodes) {
      const gone = nodes.slice(0, maxParts - 1).map((node): Part => ({ kind: "delete", key: bootFailureKey(fence.pool, node) }));
      return written(await write(fence, gone), async () => false);
    },

    terminating: (fence, node, atMs) =>
      asRead(node, async () => {
        const now = await readNode(access, fence.pool, node);
        if (!now) return unlessFenced(fence, "stale");
        if (now.released) return unlessFenced(fence, "done");
        // `gone` comes from EC2 and says more than `terminating`, so the state stays and only the release is written.
        const gone = now.state === "gone";
        const ending = gone ? [] : [set("state", "terminating"), set("stateSinceMs", atMs)];
        const outcome = await release(fence, { node: now, atMs }, [
          {
            kind: "update",
            key: nodeKey(fence.pool, node),
            changes: [set("released", true), ...ending],
            when: [is("released", false), gone ? is("state", "gone") : isNot("state", "gone")],
          },
        ]);
        return typeof outcome === "string" ? outcome : "changed";
      }),

    removeNode: (fence, node, atMs) =>
      asRead(node, async () => {
        const items = await readNodeItems(access, fence.pool, node);
        if (!items) {
          const forgotten = await getItem(access, forgottenNodeKey(fence.pool, node));
          return unlessFenced(fence, forgotten ? "done" : "stale");
        }
        const now = readNodeOf(items.item);
        if (Object.keys(now.assignments).length > 0) return unlessFenced(fence, "stale");
        const ttl = ttlAfter(atMs, keptMs.formerNode);
        const last = { state: "gone", stateSinceMs: atMs, released: true, ttl };
        const outcome = await release(fence, { node: now, atMs }, [
          { kind: "delete", key: nodeKey(fence.pool, node), when: [is("released", now.released), isEmpty("assignments")] },
          { kind: "delete", key: heartbeatKey(fence.pool, node) },
          { kind: "delete", key: nodeDatasetsKey(fence.pool, node) },
          { kind: "put", item: { ...items.item, heartbeat: items.heartbeat, ...forgottenNodeKey(fence.pool, node), ...last } },
          { kind: "update", key: instanceKey(node), changes: [set("pool", fence.pool), set("ttl", ttl)], when: [] },
        ]);
        return typeof outcome === "string" ? outcome : "changed";
      }),
  };
};
