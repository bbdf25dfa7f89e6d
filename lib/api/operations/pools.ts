import * as z from "zod";
import { loadPool } from "../../flows/pool/load-pool.ts";
import type { WiderReserved } from "../../model/limits.ts";
import type { Pool } from "../../model/pool.ts";
import type { ApiDeps } from "../http/deps.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { type ProblemResponse, problem, success } from "../http/response.ts";
import { poolView } from "../views/pool-view.ts";
import { PoolList, PoolView } from "../views/pools.ts";
import { maySpeakFor, type Speaker } from "../views/speaker.ts";
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
    let reserved: WiderReserved | undefined;
    // One pool at a time, because a queue of ten thousand jobs is several megabytes to read.
    for (const pool of deps.fleet.pools) {
      const known = await look(deps, { pool, speaker });
      items.push(known.view);
      reserved = known.reservedWider;
    }
    return success({ items, ...(reserved ? widerLimits(deps.fleet, { reserved, speaker }) : {}) });
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

/** Returns limits and reservations across all pools: the deployment's, and those of the teams that the caller may act for. */
function widerLimits(
  { teams, limits = {}, teamLimits = {} }: ApiDeps["fleet"],
  { reserved, speaker }: { reserved: WiderReserved; speaker: Speaker },
): Pick<PoolList, "deployment" | "teams"> {
  const seen = teams.filter((team) => maySpeakFor(speaker, team)).toSorted();
  const none = { usdPerHour: 0, gpus: 0 };
  return {
    deployment: { limits, reserved: reserved.deployment },
    teams: seen.map((team) => ({ team, limits: teamLimits[team] ?? {}, reserved: reserved.teams[team] ?? none })),
  };
}

async function look(
  deps: ApiDeps,
  { pool, speaker }: { pool: Pool; speaker: Speaker },
): Promise<{ view: PoolView; reservedWider: WiderReserved }> {
  const nowMs = deps.now();
  const [state, seen] = await Promise.all([deps.decisions.state(pool.name), loadPool(deps, pool.name, nowMs)]);
  return { view: poolView({ pool, state, seen }, { nowMs, speaker }), reservedWider: seen.reservedWider };
}

export const noPool = (pool: string): ProblemResponse => problem("not-found", `There is no pool ${pool}.`);

export const poolOperations: readonly Operation[] = [list, get, forget];
