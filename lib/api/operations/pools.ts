import * as z from "zod";
import { loadPool } from "../../flows/pool/load-pool.ts";
import type { Pool } from "../../model/pool.ts";
import type { ApiDeps } from "../http/deps.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { type ProblemResponse, problem, success } from "../http/response.ts";
import { type LimitsView, limitsView } from "../views/limits.ts";
import { poolView } from "../views/pool-view.ts";
import { PoolList, PoolView } from "../views/pools.ts";
import type { Speaker } from "../views/speaker.ts";
import { noParams, noQuery, ofPool } from "./path.ts";

const list = operation({
  id: "listPools",
  method: "get",
  path: "/pools",
  summary: "Lists all pools with their limits and contents",
  params: noParams,
  query: noQuery,
  body: noBody,
  responses: { schema: PoolList, statuses: { 200: "Every pool" } },
  problems: [],
  async handle(deps, { speaker }) {
    const items: PoolView[] = [];
    let limits: LimitsView | undefined;
    // One pool at a time, because a queue of ten thousand jobs is several megabytes to read.
    for (const pool of deps.fleet.pools) {
      const known = await look(deps, { pool, speaker });
      items.push(known.view);
      limits = known.limits;
    }
    return success({ items, ...(limits && { deployment: limits.deployment, teams: limits.teams, settings: limits.settings }) });
  },
});

const get = operation({
  id: "getPool",
  method: "get",
  path: "/pools/{pool}",
  summary: "Returns a pool",
  params: ofPool,
  query: noQuery,
  body: noBody,
  responses: { schema: PoolView, statuses: { 200: "The pool" } },
  problems: ["not-found"],
  async handle(deps, { params, speaker }) {
    const pool = deps.fleet.pools.find(({ name }) => name === params.pool);
    return pool ? success((await look(deps, { pool, speaker })).view) : noPool(params.pool);
  },
});

const forget = operation({
  id: "forgetLearned",
  method: "delete",
  path: "/pools/{pool}/learned",
  summary: "Resets a pool's statistics about which packing engine pays off",
  params: ofPool,
  query: noQuery,
  body: noBody,
  responses: { schema: z.undefined(), statuses: { 204: "The pool has no statistics any more" } },
  problems: ["not-found"],
  async handle(deps, { params, speaker }) {
    if (speaker.kind !== "admin") return problem("denied", "Only an admin may reset a pool's statistics.");
    if (!deps.fleet.pools.some(({ name }) => name === params.pool)) return noPool(params.pool);
    await deps.decisions.resetLearning(params.pool);
    return success(undefined, 204);
  },
});

async function look(deps: ApiDeps, { pool, speaker }: { pool: Pool; speaker: Speaker }): Promise<{ view: PoolView; limits: LimitsView }> {
  const nowMs = deps.now();
  const [state, seen] = await Promise.all([deps.decisions.state(pool.name), loadPool(deps, pool.name, nowMs)]);
  return { view: poolView({ pool, state, seen }, { nowMs, speaker }), limits: limitsView(seen, { fleet: deps.fleet, speaker, nowMs }) };
}

export const noPool = (pool: string): ProblemResponse => problem("not-found", `There is no pool ${pool}.`);

export const poolOperations: readonly Operation[] = [list, get, forget];
