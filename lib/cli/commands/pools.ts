import type { PoolList, PoolView } from "../../api/views/pools.ts";
import { exitCodes } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Context } from "../session/context.ts";
import { poolNamed } from "../session/team.ts";
import { anyOf, count, dollars, hourly } from "../terminal/amount.ts";
import { duration, past, when } from "../terminal/duration.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { factLines } from "../views/job-view.ts";
import { changeFacts, orderInWords, pausedInWords } from "../views/order-words.ts";
import { refusalLines } from "../views/refusal-lines.ts";
import { settingInWords } from "../views/setting-lines.ts";
import { standingInWords } from "./limits.ts";

/** Lists the pools, with their queues, nodes and limits. */
export async function pools(options: { json?: boolean | undefined }, { connection, console, nowMs }: Context): Promise<number> {
  const { items, deployment, teams = [], settings = [] } = await connection.api.pools();
  const empty = "you may not use any pool; an admin can add one in the configuration (cdk/) and deploy it";
  if (options.json) console.out(JSON.stringify({ pools: items, deployment, teams, settings }));
  else {
    for (const line of tableLines(items, columns(nowMs), { empty, width: console.width })) console.out(line);
    const all = [
      ...(deployment ? [{ who: "all pools", ...deployment }] : []),
      ...teams.map((each) => ({ who: `team ${each.team}`, ...each })),
    ];
    const paused = items.flatMap((each): [string, string][] => {
      const line = pausedLine(each, nowMs);
      return line === undefined ? [] : [[`pool ${each.pool}`, line]];
    });
    const set = items.flatMap(({ pool: name, overrides }) =>
      overrides.settings.map((each): [string, string] => [`pool ${name}`, settingInWords(each, nowMs)]),
    );
    const across = settings.map((each): [string, string] => ["all pools", settingInWords(each, nowMs)]);
    for (const line of factLines([...paused, ...set, ...across])) console.out(line);
    for (const line of factLines(all.filter(isLimited).map(({ who, ...its }) => [who, standingInWords(its)]))) console.out(line);
  }
  return exitCodes.ok;
}

type Standing = NonNullable<PoolList["deployment"]>;
const isLimited = ({ limits }: Standing): boolean => limits.usdPerHour !== undefined || limits.gpus !== undefined;

const columns = (nowMs: number): Column<PoolView>[] => [
  { title: "POOL", of: ({ pool }) => pool },
  { title: "STATE", of: stateOf },
  { title: "QUEUED", of: ({ queue }) => String(queue.length), align: "right" },
  { title: "OLDEST", of: ({ queue }) => oldest(queue, nowMs) ?? "-", align: "right" },
  { title: "NODES", of: ({ nodes }) => byState(nodes) },
  { title: "RESERVED", of: ({ reserved, limits }) => `${hourly(reserved.usdPerHour)} of ${hourly(limits.usdPerHour)}`, align: "right" },
  { title: "GPUS", of: ({ reserved, limits }) => `${reserved.gpus} of ${limits.gpus}`, align: "right" },
  { title: "FAMILIES", of: ({ families }) => families.join(" "), yields: true },
];

/** Returns `paused` or `drained` if the pool starts nothing. */
function stateOf({ overrides: { paused, unreadable } }: PoolView): string {
  if (paused) return paused.until === undefined ? "paused" : "drained";
  return unreadable ? "unreadable" : "active";
}

function pausedLine({ overrides: { paused, unreadable } }: PoolView, nowMs: number): string | undefined {
  if (unreadable) return `nothing starts, because what admins have ordered cannot be read: ${commandLine("problems")}`;
  return paused && `${pausedInWords(paused, nowMs)}: nothing starts`;
}

function learnedInWords({ pool, learned }: PoolView): string | undefined {
  if (learned.length === 0) return undefined;
  const sorts = new Set(learned.map(({ problems }) => problems)).size;
  const tries = Math.round(learned.reduce((sum, each) => sum + each.tries, 0));
  return `which packing engine is best, from ${count(tries, "trial")} on ${sorts} ${sorts === 1 ? "kind" : "kinds"} of problem; reset it with: ${commandLine("pool", "reset-stats", pool)}`;
}

const oldest = (queue: PoolView["queue"], nowMs: number): string | undefined =>
  queue.oldestSubmittedAt === undefined ? undefined : duration(nowMs - Date.parse(queue.oldestSubmittedAt));

/** Formats node counts: `2 ready, 1 launching`. Nodes that are gone are left out. */
function byState(nodes: PoolView["nodes"]): string {
  const there = Object.entries(nodes).filter(([state, n]) => n > 0 && state !== "gone");
  return there.map(([state, n]) => `${n} ${state}`).join(", ") || "none";
}

/** Shows one pool. */
export async function pool(
  name: string,
  options: { json?: boolean | undefined },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const found = await connection.api.pool(poolNamed(name, connection.deployment));
  if (options.json) console.out(JSON.stringify(found));
  else for (const line of poolLines(found, nowMs)) console.out(line);
  return exitCodes.ok;
}

/** Deletes a pool's statistics about packing engines. */
export async function resetStats(
  name: string,
  options: { json?: boolean | undefined },
  { connection, console }: Pick<Context, "connection" | "console">,
): Promise<number> {
  const pool = poolNamed(name, connection.deployment);
  await connection.api.forgetLearned(pool);
  console.out(
    options.json
      ? JSON.stringify({ pool, learned: [] })
      : `deleted the statistics of pool ${pool}; it collects new ones about which engine packs best`,
  );
  return exitCodes.ok;
}

/** Formats `$1.50 of $50.00 today, $20.26 this month`. A period without a budget has no `of`. */
function spending(
  { usdToday, usdThisMonth }: PoolView["spent"],
  { usdPerDay, usdPerMonth }: NonNullable<PoolView["budgets"]> = {},
): string {
  const part = (usd: number, most: number | undefined): string => `${dollars(usd)}${most === undefined ? "" : ` of ${dollars(most)}`}`;
  return `${part(usdToday, usdPerDay)} today, ${part(usdThisMonth, usdPerMonth)} this month`;
}

/** Formats `2 nodes at least, with work or without; 1 is there for $0.50/h, and the rest would add $0.50/h: the pool is paused`. */
function minimumInWords({ nodes, there, usdPerHour, missingUsdPerHour, why }: NonNullable<PoolView["minimum"]>): string {
  const kept = `${count(nodes, "node")} at least, with work or without`;
  if (why === undefined) return `${kept}; ${there === 1 ? "it costs" : "they cost"} ${hourly(usdPerHour)}`;
  const found = there === 0 ? "none is there" : `${there} ${there === 1 ? "is" : "are"} there for ${hourly(usdPerHour)}`;
  const more = missingUsdPerHour === undefined ? "" : `, and the rest would add ${hourly(missingUsdPerHour)}`;
  return `${kept}; ${found}${more}: ${why}`;
}

export function poolLines(pool: PoolView, nowMs: number): string[] {
  const { reserved, limits, spent, budgets } = pool;
  const waits = oldest(pool.queue, nowMs);
  return factLines([
    ["pool", pool.pool],
    ["state", pausedLine(pool, nowMs)],
    ...pool.overrides.settings.map((each): [string, string] => ["set", settingInWords(each, nowMs)]),
    ...pool.overrides.nodes.map((each): [string, string] => ["ordered", `${each.node} ${orderInWords(each, nowMs)}`]),
    ["families", pool.families.join(" ")],
    ["markets", pool.markets.join(" ")],
    ["teams", pool.teams.length === 0 ? "all" : pool.teams.join(" ")],
    [
      "nodes",
      `${byState(pool.nodes)}; ${pool.shared ? "each serves every team" : "each serves one team"}; idle nodes are ended after ${duration(pool.idleSeconds * 1_000)}`,
    ],
    ["minimum", pool.minimum && minimumInWords(pool.minimum)],
    [
      "lifetime",
      pool.maxLifetimeSeconds === undefined
        ? undefined
        : `${duration(pool.maxLifetimeSeconds * 1_000)} at most; nodes are drained ${duration(pool.drainSeconds * 1_000)} earlier`,
    ],
    [
      "consolidation",
      pool.consolidateSeconds === undefined
        ? undefined
        : `a node on which nothing has changed for ${duration(pool.consolidateSeconds * 1_000)} is emptied if other nodes have room for its work and that saves money`,
    ],
    ["containers", pool.containers ? "jobs may name an image" : "plain programs only"],
    ["queue", `${count(pool.queue.length, "job")} waiting${waits === undefined ? "" : `, the oldest for ${waits}`}`],
    ["reserved", `${hourly(reserved.usdPerHour)} of ${hourly(limits.usdPerHour)}, ${reserved.gpus} of ${limits.gpus} GPUs`],
    ["spent", `${spending(spent, budgets)} (UTC)${budgets?.whenSpent === "drain" ? "; once a budget is used up, nodes are drained" : ""}`],
    ...(pool.teamSpending ?? []).map((each): [string, string] => [
      `by ${each.team}`,
      each.spent ? spending(each.spent, each.budgets) : "not known: its record cannot be read",
    ]),
    ["prices", pool.pricesAt === undefined ? "not fetched yet" : `as of ${past(Date.parse(pool.pricesAt), nowMs)}`],
    ...pool.openLaunches.map((launch): [string, string] => [
      "launching",
      `${count(launch.nodes, `${launch.market} node`)}: ${anyOf(launch.instanceTypes)}, requested ${past(Date.parse(launch.intendedAt), nowMs)}`,
    ]),
    ...refusalLines(pool.refusals, nowMs).map((line): [string, string] => ["refused", line]),
    ...pool.breakers.map((broken): [string, string] => [
      "broken",
      `${broken.instanceType} in ${broken.zone} did not boot (${count(broken.failures, "time")} within the hour) with the launch template's image; next try ${when(Date.parse(broken.restsUntil), nowMs)}`,
    ]),
    ["learned", learnedInWords(pool)],
    ...changeFacts(pool.overrides.changes, nowMs),
    ["decisions", `${pool.decisions}; list them with: ${commandLine("decisions", "--pool", pool.pool)}`],
  ]);
}
