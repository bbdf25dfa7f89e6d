import * as z from "zod";
import { TeamName } from "../../../events/names.ts";
import { leastSetSeconds, maxBudgetUsd, maxLimit, maxSetSeconds } from "../../model/overrides/bounds.ts";
import { fieldOf, type SettingValues, settingNames, settingOfField } from "../../model/overrides/settings.ts";
import { maxMinNodes, whyNoMinimum } from "../../model/pool.ts";
import { whenSpents } from "../../model/values/when-spent.ts";
import type { ApiDeps } from "../http/deps.ts";
import { type Operation, operation } from "../http/operation.ts";
import { problem } from "../http/response.ts";
import { bodyBytes, common, give, noTeam, Order, whyNothingToUnset } from "./overrides.ts";
import { ofPool } from "./path.ts";

const budget = z.number().min(0).max(maxBudgetUsd).optional();

const team = TeamName.optional().describe("The team whose budgets in the pool are meant; if omitted, those of the pool");

export const LimitValues = z.strictObject({
  usdPerHour: z.number().min(0).max(maxLimit).optional(),
  gpus: z.int().min(0).max(maxLimit).optional(),
});

/** When the values of an order to set something expire. */
export const expiry = {
  until: z.iso.datetime({ offset: true }).optional().describe("When the configured values apply again; never by itself if omitted"),
  forSeconds: z.int().min(leastSetSeconds).max(maxSetSeconds).optional().describe("The same as a time from now, instead of `until`"),
};

const SetOrder = Order.extend({
  team,
  limits: LimitValues.optional().describe(
    "The most that the pool may reserve, instead of the configured limits. A limit that is omitted stays as it is",
  ),
  budgets: z
    .strictObject({ usdPerDay: budget, usdPerMonth: budget, whenSpent: z.enum(whenSpents).optional() })
    .optional()
    .describe("What the pool's nodes may cost, instead of the configured budgets. A field that is omitted stays as it is"),
  minNodes: z
    .int()
    .min(0)
    .max(maxMinNodes)
    .optional()
    .describe("How many nodes the pool keeps, with work or without, instead of the configured number. Only in shared pools"),
  ...expiry,
});

const UnsetOrder = Order.extend({
  team,
  settings: z
    .array(z.enum(settingNames.map((name) => fieldOf[name])))
    .min(1)
    .optional()
    .describe("The fields whose configured values apply again; all if omitted"),
});

const set = operation({
  ...common,
  id: "setPoolLimits",
  path: "/pools/{pool}/set",
  summary: "Sets limits, budgets and the minimum of a pool instead of the configured ones, until a time if one is given",
  params: ofPool,
  body: { schema: SetOrder, maxBytes: bodyBytes, optional: false },
  async handle(deps, call) {
    const { limits, budgets, minNodes } = call.body;
    const values: SettingValues = { ...limits, ...budgets, ...(minNodes !== undefined && { minNodes }) };
    if (Object.values(values).every((value) => value === undefined))
      return problem("invalid", `Name at least one of ${settingNames.map((name) => fieldOf[name]).join(", ")}.`);
    const untilMs = untilOf(call.body, deps.now());
    if (typeof untilMs === "string") return problem("invalid", untilMs);
    const wrong = whyNoTeamBudget(deps, call.params.pool, call.body) ?? whyNotKept(deps, call.params.pool, call.body);
    if (wrong !== undefined) return problem("invalid", wrong);
    const until = untilMs === undefined ? {} : { untilMs };
    return give(deps, call, { pool: call.params.pool, order: { kind: "set", values, ...until, ...teamIn(call.body) } });
  },
});

const unset = operation({
  ...common,
  id: "unsetPoolLimits",
  path: "/pools/{pool}/unset",
  summary: "Lets the configured limits, budgets and minimum of a pool apply again",
  params: ofPool,
  body: { schema: UnsetOrder, maxBytes: bodyBytes, optional: true },
  async handle(deps, call) {
    const names = call.body.settings?.flatMap((field) => settingOfField(field) ?? []) ?? settingNames;
    const wrong = call.speaker.kind === "admin" ? await whyNothingToUnset(deps, call.params.pool, call.body.team) : undefined;
    if (wrong !== undefined) return problem("invalid", wrong);
    return give(deps, call, { pool: call.params.pool, order: { kind: "unset", names, ...teamIn(call.body) } });
  },
});

const teamIn = (body: { readonly team?: string | undefined }) => (body.team === undefined ? {} : { team: body.team });

/** Returns why the values cannot be set for the team that the body names; undefined if they can, or if it names none. */
function whyNoTeamBudget({ fleet }: ApiDeps, pool: string, body: z.output<typeof SetOrder>): string | undefined {
  if (body.team === undefined) return undefined;
  if (!fleet.teams.includes(body.team)) return noTeam(body.team);
  if (body.minNodes !== undefined) return "A pool keeps nodes for all its teams, so no team has a minimum.";
  if (Object.keys(body.limits ?? {}).length > 0)
    return "A team has budgets in a pool, and no limits. Its limits apply across all pools: POST /v1/limits/set sets them.";
  const isShared = fleet.pools.some(({ name, shared }) => name === pool && shared);
  return isShared ? `Nodes of the shared pool ${pool} belong to no team, so teams have no budgets there.` : undefined;
}

/** Returns why the pool cannot keep as many nodes as the body names; undefined if it can. */
function whyNotKept({ fleet }: ApiDeps, pool: string, { minNodes = 0 }: z.output<typeof SetOrder>): string | undefined {
  const isAlone = fleet.pools.some(({ name, shared }) => name === pool && !shared);
  return isAlone && minNodes > 0 ? `It cannot keep nodes: ${whyNoMinimum(pool)}.` : undefined;
}

/** Returns when the values expire, undefined if never, or what is wrong with the time. */
export function untilOf(
  { until, forSeconds }: Pick<z.output<typeof SetOrder>, keyof typeof expiry>,
  nowMs: number,
): number | undefined | string {
  if (until === undefined) return forSeconds === undefined ? undefined : nowMs + forSeconds * 1000;
  if (forSeconds !== undefined) return "Give `until` or `forSeconds`, not both.";
  const untilMs = Date.parse(until);
  const isSane = untilMs >= nowMs + leastSetSeconds * 1000 && untilMs <= nowMs + maxSetSeconds * 1000;
  return isSane ? untilMs : `\`until\` must be at least a minute and at most ${maxSetSeconds / 86_400} days ahead; it is ${until}.`;
}

export const settingOperations: readonly Operation[] = [set, unset];
