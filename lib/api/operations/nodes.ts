import * as z from "zod";
import { PoolName } from "../../../events/names.ts";
import { orderOf } from "../../decide/overrides/node-orders.ts";
import { declareDead } from "../../flows/node/declare-dead.ts";
import type { Node } from "../../model/node.ts";
import type { Overrides } from "../../model/overrides/overrides.ts";
import type { ApiDeps } from "../http/deps.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { problem, success } from "../http/response.ts";
import { NodePage, NodeView, nodeView } from "../views/nodes.ts";
import { nameOf } from "../views/overrides.ts";
import { cursor, limitOf, noParams, noQuery } from "./path.ts";
import { noPool } from "./pools.ts";

export const NodeId = z.string().regex(/^i-[0-9a-f]{8,17}$/, "must be an instance id: i- and 8 to 17 hex digits");

/** The largest JSON that fits into a Lambda's response, which is limited to 6 MB with each quote escaped. */
const maxBytes = 3_000_000;

const list = operation({
  id: "listNodes",
  method: "get",
  path: "/nodes",
  summary: "Lists nodes that are not gone, by pool and instance",
  params: noParams,
  query: z.strictObject({ pool: PoolName.optional(), limit: limitOf(100, 50), cursor }),
  body: noBody,
  responses: { schema: NodePage, statuses: { 200: "A page of nodes" } },
  problems: ["not-found", "cursor"],
  async handle(deps, { query, speaker }) {
    const pools = deps.fleet.pools.map(({ name }) => name).filter((name) => query.pool === undefined || name === query.pool);
    if (query.pool !== undefined && pools.length === 0) return noPool(query.pool);
    const from = query.cursor === undefined ? undefined : /^([a-z][a-z0-9-]{0,29})\/(i-[0-9a-f]{8,17})$/.exec(query.cursor);
    if (from === null) return problem("cursor", "The cursor is invalid.");
    const [, pool = "", after = ""] = from ?? [];
    const found = await firstNodes(deps, { pools: pools.toSorted(), pool, after, limit: query.limit + 1 });
    const shown = found.slice(0, query.limit);
    const ordered = await overridesOf(deps, shown);
    const items = shown.map((node) => nodeView(node, speaker, { nowMs: deps.now(), order: orderOf(ordered.get(node.pool), node.id) }));
    const page = items.slice(0, thatFit(items));
    const last = page.at(-1);
    return success({ items: page, ...(last && page.length < found.length && { cursor: `${last.pool}/${last.node}` }) });
  },
});

type Range = { readonly pools: readonly string[]; readonly pool: string; readonly after: string; readonly limit: number };

async function firstNodes(deps: ApiDeps, { pools, pool, after, limit }: Range): Promise<Node[]> {
  const found: Node[] = [];
  for (const name of pools.filter((each) => each >= pool)) {
    if (found.length >= limit) break;
    const from = name === pool ? { after } : {};
    found.push(...(await deps.nodeReader.list(name, { ...from, limit: limit - found.length })));
  }
  return found;
}

/** Returns the overrides of the nodes' pools. */
async function overridesOf({ overrides }: ApiDeps, nodes: readonly Node[]): Promise<ReadonlyMap<string, Overrides>> {
  const pools = [...new Set(nodes.map(({ pool }) => pool))];
  return new Map(await Promise.all(pools.map(async (pool) => [pool, await overrides.get(pool)] as const)));
}

/** Returns how many of the first items fit into one response, at least one. */
function thatFit(items: readonly NodeView[]): number {
  let bytes = 0;
  const count = items.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item));
    return bytes > maxBytes;
  });
  return count === -1 ? items.length : Math.max(1, count);
}

const get = operation({
  id: "getNode",
  method: "get",
  path: "/nodes/{node}",
  summary: "Returns a node, until two weeks after its end",
  params: z.strictObject({ node: NodeId }),
  query: noQuery,
  body: noBody,
  responses: { schema: NodeView, statuses: { 200: "The node" } },
  problems: ["not-found"],
  async handle(deps, { params, speaker }) {
    const node = await deps.nodeReader.find(params.node);
    if (!node) return problem("not-found", `There is no node ${params.node}.`);
    const ordered = await overridesOf(deps, [node]);
    return success(nodeView(node, speaker, { nowMs: deps.now(), order: orderOf(ordered.get(node.pool), node.id) }));
  },
});

const declare = operation({
  id: "declareNodeDead",
  method: "post",
  path: "/nodes/{node}/declare-dead",
  summary:
    "Takes an admin's word that nothing runs on a silent node, as EC2's word would be taken: its work is queued again at once. If it is wrong, a job runs twice at the same time",
  params: z.strictObject({ node: NodeId }),
  query: noQuery,
  body: {
    schema: z.strictObject({ reason: z.string().trim().min(1).max(200).describe("How it is known that nothing runs there any more") }),
    maxBytes: 4096,
    optional: false,
  },
  responses: { schema: NodeView, statuses: { 200: "The node is gone, and its work is queued again" } },
  problems: ["not-found", "conflict", "too-large", "media-type"],
  async handle(deps, { params, speaker, caller, body }) {
    if (speaker.kind !== "admin") return problem("denied", "Only an admin may declare a node dead.");
    const outcome = await declareDead(deps, params.node, { by: nameOf(caller), because: body.reason });
    switch (outcome.kind) {
      case "done":
      case "same":
        return success(nodeView(outcome.node, speaker, { nowMs: deps.now() }));
      case "alive":
        return problem(
          "conflict",
          `The worker of ${params.node} has called within the last minutes, or its end was requested then, so it may still run. Drain it, or wait for its end.`,
        );
      case "no-node":
        return problem("not-found", `There is no node ${params.node} that is in a pool.`);
    }
  },
});

export const nodeOperations: readonly Operation[] = [list, get, declare];
