import type { Pool as Configured } from "../../model/pool.ts";
import { problem, type Refusal, said } from "../answer.ts";
import type { ApiDeps } from "../deps.ts";
import { noBody, type Operation, operation } from "../operation.ts";
import { poolView } from "../pool-view.ts";
import { Pool, PoolList } from "../views.ts";
import { noParams, noQuery, ofPool } from "./path.ts";

const list = operation({
  id: "listPools",
  method: "get",
  path: "/pools",
  summary: "All pools, with their limits and what is in them",
  params: noParams,
  query: noQuery,
  body: noBody,
  answers: { schema: PoolList, statuses: { 200: "Every pool" } },
  problems: [],
  async handle(deps) {
    const items: Pool[] = [];
    // One after the other: a queue of ten thousand is some megabytes to read.
    for (const pool of deps.fleet.pools) items.push(await look(deps, pool));
    return said({ items });
  },
});

const get = operation({
  id: "getPool",
  method: "get",
  path: "/pools/{pool}",
  summary: "One pool",
  params: ofPool,
  query: noQuery,
  body: noBody,
  answers: { schema: Pool, statuses: { 200: "The pool" } },
  problems: ["not-found"],
  async handle(deps, { params }) {
    const pool = deps.fleet.pools.find(({ name }) => name === params.pool);
    return pool ? said(await look(deps, pool)) : noPool(params.pool);
  },
});

async function look(deps: ApiDeps, pool: Configured): Promise<Pool> {
  const nowMs = deps.now();
  const [state, seen] = await Promise.all([deps.pools.state(pool.name), deps.pools.load(pool.name, nowMs)]);
  return poolView({ pool, state, seen }, nowMs);
}

export const noPool = (pool: string): Refusal => problem("not-found", `There is no pool ${pool}.`);

export const poolOperations: readonly Operation[] = [list, get];
