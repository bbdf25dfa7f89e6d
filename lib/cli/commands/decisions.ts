import type { DecisionView } from "../../api/views/decisions.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { decisionId } from "../../ports/decision-reader.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Context } from "../session/context.ts";
import type { FleetApi } from "../session/fleet-api.ts";
import { poolNamed } from "../session/team.ts";
import { tableLines } from "../terminal/table.ts";
import { decisionAt } from "../views/decision-id.ts";
import { decisionColumns, decisionLines } from "../views/decision-view.ts";

export type DecisionsOptions = {
  readonly pool?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly json?: boolean | undefined;
};

/** Lists decisions, newest first: those of one pool, page by page, or the newest of all pools that the caller may use. */
export async function decisions(options: DecisionsOptions, { connection, console, nowMs }: Context): Promise<number> {
  const { pool: named, limit, cursor } = options;
  if (cursor !== undefined && named === undefined) throw new UsageError("--cursor needs --pool, because a page is of one pool");
  const pools = named === undefined ? (await connection.api.me()).pools : [poolNamed(named, connection.deployment)];
  const pages = await Promise.all(pools.map((pool) => connection.api.decisions({ pool, limit, cursor })));
  const all = pages.flatMap(({ items }) => items).sort((a, b) => (a.decision < b.decision ? 1 : -1));
  const [only] = pages;
  const next = pages.length === 1 ? only?.cursor : undefined;
  const shown = all.slice(0, limit);
  if (options.json) {
    console.out(JSON.stringify({ decisions: shown, cursor: next ?? null }));
    return exitCodes.ok;
  }
  const empty = "there are no decisions yet; a job in a queue causes the first one";
  for (const line of tableLines(shown, decisionColumns(shown, nowMs), { empty, width: console.width })) console.out(line);
  if (next !== undefined) console.note(`there are more: --pool ${pools[0]} --cursor ${next}`);
  else if (pages.some((page) => page.cursor !== undefined) || all.length > limit)
    console.note(`there are more: choose a pool to see them: --pool ${pools.join(" | --pool ")}`);
  return exitCodes.ok;
}

/** Shows one decision: what it saw, what it did, why, and the outcome. */
export async function decision(
  id: string,
  options: { readonly pool?: string | undefined; readonly json?: boolean | undefined },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const { pool } = options;
  const pools = pool === undefined ? (await connection.api.me()).pools : [poolNamed(pool, connection.deployment)];
  const found = (await decisionNamed(id, pools, connection.api)) ?? (await decisionLike(id, pools, connection.api));
  if (!found)
    throw new FleetError("not-found", `there is no decision ${id} in ${pools.join(", ")}; list them with: ${commandLine("decisions")}`);
  if (options.json) console.out(JSON.stringify(found));
  else for (const line of decisionLines(found, nowMs)) console.out(line);
  return exitCodes.ok;
}

async function decisionNamed(id: string, pools: readonly string[], api: FleetApi): Promise<DecisionView | undefined> {
  if (!decisionId.test(id)) return undefined;
  return (await Promise.all(pools.map((pool) => api.decision({ pool, id }).catch(noneHere)))).find(Boolean);
}

async function decisionLike(prefix: string, pools: readonly string[], api: FleetApi): Promise<DecisionView | undefined> {
  const at = await decisionAt(prefix, pools, api);
  return at && api.decision(at).catch(noneHere);
}

function noneHere(error: unknown): DecisionView | undefined {
  if (error instanceof FleetError && error.code === "not-found") return undefined;
  throw error;
}
