import type { LimitsView } from "../../api/views/limits.ts";
import { exitCodes } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Connection } from "../session/connection.ts";
import type { Context } from "../session/context.ts";
import { count, hourly } from "../terminal/amount.ts";
import { factLines } from "../views/job-view.ts";
import { changeFacts } from "../views/order-words.ts";
import {
  fieldsOf,
  linesAfterSet,
  linesAfterUnset,
  optionNamed,
  optionsGiven,
  type SettingPlace,
  seenBefore,
  settingInWords,
} from "../views/setting-lines.ts";
import { bodyOf, type Expiry, expiryOf, type OfTeam, type OrderOptions, teamOf } from "./orders.ts";

export type SetLimitsOptions = OrderOptions &
  Expiry &
  OfTeam & { readonly usdPerHour?: number | undefined; readonly gpus?: number | undefined };
export type UnsetLimitsOptions = OrderOptions & OfTeam;

const place: SettingPlace = {
  name: "across pools",
  untouched: "the limits across pools are those of the configuration",
  applied: "the next decisions apply this",
  unset: ["limits", "unset"],
  fields: { "usd-per-hour": "limits.usdPerHour", gpus: "limits.gpus" },
};

/** Shows the limits across pools: what is reserved, and what was set instead of the configured ones. */
export async function limits(options: { json?: boolean | undefined }, { connection, console, nowMs }: Context): Promise<number> {
  const found = await connection.api.limits();
  for (const line of options.json ? [JSON.stringify(found)] : limitLines(found, nowMs)) console.out(line);
  return exitCodes.ok;
}

/** Sets limits of the deployment, or of a team in all pools together. */
export async function setLimits(options: SetLimitsOptions, { connection, console, nowMs }: Context): Promise<number> {
  const { usdPerHour, gpus, team } = options;
  const given = optionsGiven({ "usd-per-hour": usdPerHour, gpus });
  const now = await connection.api.setLimits({
    ...bodyOf(options),
    ...teamOf(options),
    limits: { usdPerHour, gpus },
    ...expiryOf(options),
  });
  const lines = options.json ? [JSON.stringify(now)] : linesAfterSet(place, { options: given, team }, { settings: now.settings, nowMs });
  for (const line of lines) console.out(line);
  const uncounted = team === undefined ? undefined : await whatIsUncounted(team, connection);
  if (uncounted !== undefined) console.note(uncounted);
  return exitCodes.ok;
}

/** Returns which jobs of the team its limits do not cover; undefined if they cover all. */
async function whatIsUncounted(team: string, { api }: Pick<Connection, "api">): Promise<string | undefined> {
  // The limits are set already, so the command must not fail here.
  const { items } = await api.pools().catch(() => ({ items: [] }));
  const shared = items.filter((pool) => pool.shared && (pool.teams.length === 0 || pool.teams.includes(team)));
  if (shared.length === 0) return undefined;
  const pools = shared.map(({ pool }) => pool).join(", ");
  return `note: the limits of team ${team} do not cover its jobs in ${pools}, because nodes of shared pools count towards no team`;
}

/** Lets the configured limits across pools apply again: those that are named, or all. */
export async function unsetLimits(
  { what, ...options }: UnsetLimitsOptions & { readonly what: readonly string[] },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const named = what.map((text) => optionNamed(text, place));
  const before = options.json ? undefined : await seenBefore(connection.api.limits());
  const now = await connection.api.unsetLimits({
    ...bodyOf(options),
    ...teamOf(options),
    ...(named.length === 0 ? {} : { settings: fieldsOf(named, place) }),
  });
  const scope = { options: named, team: options.team };
  const lines = options.json ? [JSON.stringify(now)] : linesAfterUnset(place, scope, { before, settings: now.settings, nowMs });
  for (const line of lines) console.out(line);
  return exitCodes.ok;
}

function limitLines({ deployment, teams, settings, changes, unreadable }: LimitsView, nowMs: number): string[] {
  return factLines([
    ["state", unreadable && unreadableInWords()],
    ["all pools", standingInWords(deployment)],
    ...teams.map((each): [string, string] => [`team ${each.team}`, standingInWords(each)]),
    ...settings.map((each): [string, string] => ["set", settingInWords(each, nowMs)]),
    ...changeFacts(changes, nowMs),
  ]);
}

const unreadableInWords = (): string => `nothing is launched, because what admins have set cannot be read: ${commandLine("problems")}`;

/** Formats what is reserved: `$1/h of $40/h, 3 GPUs`. A part without a limit has no `of`. */
export function standingInWords({ reserved, limits: its }: LimitsView["deployment"]): string {
  const ofUsd = its.usdPerHour === undefined ? "" : ` of ${hourly(its.usdPerHour)}`;
  const ofGpus = its.gpus === undefined ? "" : ` of ${its.gpus}`;
  return `${hourly(reserved.usdPerHour)}${ofUsd}, ${ofGpus === "" ? count(reserved.gpus, "GPU") : `${reserved.gpus}${ofGpus} GPUs`}`;
}
