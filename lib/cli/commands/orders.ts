import type { OverridesView } from "../../api/views/overrides.ts";
import type { WhenSpent } from "../../model/values/when-spent.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import { advised } from "../session/advised.ts";
import type { Context } from "../session/context.ts";
import { poolNamed } from "../session/team.ts";
import { count } from "../terminal/amount.ts";
import { when } from "../terminal/duration.ts";
import { pausedInWords } from "../views/order-words.ts";
import {
  fieldsOf,
  linesAfterSet,
  linesAfterUnset,
  optionNamed,
  optionsGiven,
  type SettingPlace,
  seenBefore,
} from "../views/setting-lines.ts";
import type { Confirm } from "./jobs/cancel-many.ts";

export type OrderOptions = {
  readonly reason?: string | undefined;
  readonly ifVersion?: number | undefined;
  readonly json?: boolean | undefined;
};

/** `deadline`: how long what runs may continue, s. */
type DrainOptions = OrderOptions & { readonly deadline?: number | undefined };

/** Pauses or drains a pool, or resumes it. */
export async function orderPool(
  kind: "pause" | "drain" | "resume",
  { name, ...options }: DrainOptions & { readonly name: string },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const pool = poolNamed(name, connection.deployment);
  const overrides = await connection.api.orderPool(pool, kind, bodyOf(options));
  if (options.json) console.out(JSON.stringify({ pool, overrides }));
  else console.out(poolLine(pool, overrides, nowMs));
  return exitCodes.ok;
}

function poolLine(pool: string, { paused, leaving = [] }: OverridesView, nowMs: number): string {
  if (!paused) return `pool ${pool} is not paused; jobs that wait start with the next decision${leavingInWords(leaving)}`;
  const resume = commandLine("pool", "resume", pool);
  const running = paused.until === undefined ? "what runs goes on" : "idle nodes are ended";
  return `pool ${pool} is ${pausedInWords(paused, nowMs)}: it starts nothing, and ${running}; resume it with: ${resume}`;
}

/** The most nodes that are named. */
const maxNamed = 5;

function leavingInWords(leaving: NonNullable<OverridesView["leaving"]>): string {
  if (leaving.length === 0) return "";
  const named = leaving.slice(0, maxNamed).map(({ node, because }) => `${node} (${because})`);
  const more = leaving.length > maxNamed ? ` and ${leaving.length - maxNamed} more` : "";
  return `; ${count(leaving.length, "node")} cannot be kept: ${named.join(", ")}${more}`;
}

export type OfTeam = {
  /** The team whose budgets or limits are meant; undefined for those of the pool, or of all pools. */
  readonly team?: string | undefined;
};

export type SetOptions = OrderOptions &
  Expiry &
  OfTeam & {
    readonly limitUsdPerHour?: number | undefined;
    readonly limitGpus?: number | undefined;
    readonly budgetDailyUsd?: number | undefined;
    readonly budgetMonthlyUsd?: number | undefined;
    readonly whenSpent?: WhenSpent | undefined;
    readonly minNodes?: number | undefined;
  };

export type UnsetOptions = OrderOptions & OfTeam;
export const teamOf = ({ team }: OfTeam): OfTeam => (team === undefined ? {} : { team });

const placeOf = (pool: string): SettingPlace => ({
  name: `pool ${pool}`,
  untouched: `pool ${pool} has the limits, budgets and minimum of its configuration`,
  applied: "the next decision applies this",
  unset: ["pool", "unset", pool],
  fields: {
    "limit-usd-per-hour": "limits.usdPerHour",
    "limit-gpus": "limits.gpus",
    "budget-daily-usd": "budgets.usdPerDay",
    "budget-monthly-usd": "budgets.usdPerMonth",
    "when-spent": "budgets.whenSpent",
    "min-nodes": "minNodes",
  },
});

/** Sets limits, budgets and the minimum of a pool. */
export async function setPool(name: string, options: SetOptions, { connection, console, nowMs }: Context): Promise<number> {
  const { limitUsdPerHour, limitGpus, budgetDailyUsd, budgetMonthlyUsd, whenSpent, minNodes } = options;
  const given = optionsGiven({
    "limit-usd-per-hour": limitUsdPerHour,
    "limit-gpus": limitGpus,
    "budget-daily-usd": budgetDailyUsd,
    "budget-monthly-usd": budgetMonthlyUsd,
    "when-spent": whenSpent,
    "min-nodes": minNodes,
  });
  refuseLimitsOfTeam(options);
  const pool = poolNamed(name, connection.deployment);
  const overrides = await connection.api.setPool(pool, {
    ...bodyOf(options),
    ...teamOf(options),
    limits: { usdPerHour: limitUsdPerHour, gpus: limitGpus },
    budgets: { usdPerDay: budgetDailyUsd, usdPerMonth: budgetMonthlyUsd, whenSpent },
    ...(minNodes === undefined ? {} : { minNodes }),
    ...expiryOf(options),
  });
  const scope = { options: given, team: options.team };
  const lines = options.json
    ? [JSON.stringify({ pool, overrides })]
    : linesAfterSet(placeOf(pool), scope, { settings: overrides.settings, nowMs });
  for (const line of lines) console.out(line);
  return exitCodes.ok;
}

/** A team's limits concern all pools together, so another command sets them. */
function refuseLimitsOfTeam({ team, limitUsdPerHour, limitGpus }: SetOptions): void {
  const wanted = Object.entries({ "--usd-per-hour": limitUsdPerHour, "--gpus": limitGpus }).flatMap(([option, value]) =>
    value === undefined ? [] : [option, String(value)],
  );
  if (team === undefined || wanted.length === 0) return;
  const instead = commandLine("limits", "set", "--team", team, ...wanted);
  throw new UsageError(`a team has budgets in a pool, and no limits; its limits apply in all pools together: ${instead}`);
}

/** Lets the configured limits, budgets and minimum of a pool apply again: those that are named, or all. */
export async function unsetPool(
  name: string,
  { what, ...options }: UnsetOptions & { readonly what: readonly string[] },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const pool = poolNamed(name, connection.deployment);
  const place = placeOf(pool);
  const named = what.map((text) => optionNamed(text, place));
  const before = options.json ? undefined : await seenBefore(connection.api.pool(pool).then((found) => found.overrides));
  const overrides = await connection.api.unsetPool(pool, {
    ...bodyOf(options),
    ...teamOf(options),
    ...(named.length === 0 ? {} : { settings: fieldsOf(named, place) }),
  });
  const scope = { options: named, team: options.team };
  const lines = options.json
    ? [JSON.stringify({ pool, overrides })]
    : linesAfterUnset(place, scope, { before, settings: overrides.settings, nowMs });
  for (const line of lines) console.out(line);
  return exitCodes.ok;
}

/** When the values that are set expire: at a time, or after some seconds; never if neither is given. */
export type Expiry = { readonly until?: string | undefined; readonly for?: number | undefined };

export const expiryOf = ({ until, for: seconds }: Expiry) => ({
  ...(until === undefined ? {} : { until: untilOf(until) }),
  ...(seconds === undefined ? {} : { forSeconds: seconds }),
});

/** Returns a time in UTC. ISO 8601 without a time zone means the user's. */
function untilOf(text: string): string {
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new UsageError(`--until ${text}: expected a time, for example 2026-06-01T12:00Z; or use --for 4h`);
  return new Date(atMs).toISOString();
}

/** Cordons, uncordons or drains a node. */
export async function orderNode(
  kind: "cordon" | "uncordon" | "drain",
  { node, ...options }: DrainOptions & { readonly node: string },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const order = connection.api.orderNode(node, kind, bodyOf(options));
  const overrides = await advised(order, `there is no node ${node}; list them with: ${commandLine("nodes")}`);
  if (options.json) console.out(JSON.stringify({ node, overrides }));
  else console.out(nodeLine(node, overrides, nowMs));
  return exitCodes.ok;
}

function nodeLine(node: string, { nodes }: OverridesView, nowMs: number): string {
  const order = nodes.find((each) => each.node === node);
  if (!order) return `${node} is neither cordoned nor drained, and can get jobs again`;
  if (order.until === undefined) return `${node} is cordoned: it gets nothing new, and is ended when it is idle, as any node`;
  return `${node} is drained: it gets nothing new, what runs may continue until ${when(Date.parse(order.until), nowMs)}, and it is ended when it is empty`;
}

export const bodyOf = ({ reason, ifVersion, deadline }: DrainOptions) => ({
  ...(reason === undefined ? {} : { reason }),
  ...(ifVersion === undefined ? {} : { version: ifVersion }),
  ...(deadline === undefined ? {} : { deadlineSeconds: deadline }),
});

export type DeclareDeadOptions = { readonly reason: string; readonly yes?: boolean | undefined; readonly json?: boolean | undefined };

/** Declares that nothing runs on a node any more, after it has named the risk and asked. */
export async function declareDead(
  node: string,
  options: DeclareDeadOptions,
  { connection, console, confirm }: Context & { readonly confirm?: Confirm | undefined },
): Promise<number> {
  const unknown = `there is no node ${node}; list them with: ${commandLine("nodes")}`;
  const { assignments, waitsFor } = await advised(connection.api.node(node), unknown);
  const held = assignments.map(({ team, job }) => (job === undefined ? `a job of team ${team}` : `${team}/${job}`));
  const what = held.length === 0 ? "it holds no job" : `${held.join(", ")} will be started elsewhere at once`;
  console.note(waitsFor === undefined ? `nothing waits for EC2's word on ${node}` : waitsFor);
  console.note(
    `${what}. If anything still runs on ${node}, a program runs twice at the same time, with its effects outside of Fleetwright`,
  );
  if (!options.yes) {
    if (confirm === undefined) throw new UsageError("add --yes to declare the node dead");
    if (!(await confirm(`declare ${node} dead?`))) {
      console.note("nothing was changed");
      return exitCodes.failed;
    }
  }
  const after = await advised(connection.api.declareDead(node, options.reason), unknown);
  if (options.json) console.out(JSON.stringify(after));
  else console.out(`${node} is taken for dead; its work is queued again, and EC2 is asked to end the instance until it confirms that`);
  return exitCodes.ok;
}
