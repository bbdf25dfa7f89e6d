import * as z from "zod";
import type { WiderReserved } from "../../model/limits.ts";
import type { Pool as Configured } from "../../model/pool.ts";
import { problem, type Refusal, said } from "../http/answer.ts";
import type { ApiDeps } from "../http/deps.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { poolView } from "../views/pool-view.ts";
import { Pool, PoolList } from "../views/pools.ts";
import { maySpeakFor, type Speaker } from "../views/speaker.ts";
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
  async handle(deps, { speaker }) {
    const items: Pool[] = [];
    let reserved: WiderReserved | undefined;
    // One after the other: a queue of ten thousand is some megabytes to read.
    for (const pool of deps.fleet.pools) {
      const known = await look(deps, pool);
      items.push(known.view);
      reserved = known.reservedWider;
    }
    return said({ items, ...(reserved ? standings(deps.fleet, { reserved, speaker }) : {}) });
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
    return pool ? said((await look(deps, pool)).view) : noPool(params.pool);
  },
});

const forget = operation({
  id: "forgetLearned",
  method: "delete",
  path: "/pools/{pool}/learned",
  summary: "Has the pool's packings begin to learn anew",
  params: ofPool,
  query: noQuery,
  body: noBody,
  answers: { schema: z.undefined(), statuses: { 204: "It is forgotten, if anything was learned" } },
  problems: ["not-found"],
  async handle(deps, { params, speaker }) {
    if (speaker.kind !== "admin") return problem("denied", "Only an admin has a pool learn anew.");
    if (!deps.fleet.pools.some(({ name }) => name === params.pool)) return noPool(params.pool);
    await deps.pools.forget(params.pool);
    return said(undefined, 204);
  },
});

/** What is reserved over all pools, beside its limits. A team sees its own. */
function standings(
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

async function look(deps: ApiDeps, pool: Configured): Promise<{ view: Pool; reservedWider: WiderReserved }> {
  const nowMs = deps.now();
  const [state, seen] = await Promise.all([deps.pools.state(pool.name), deps.pools.load(pool.name, nowMs)]);
  return { view: poolView({ pool, state, seen }, nowMs), reservedWider: seen.reservedWider };
}

export const noPool = (pool: string): Refusal => problem("not-found", `There is no pool ${pool}.`);

export const poolOperations: readonly Operation[] = [list, get, forget];
