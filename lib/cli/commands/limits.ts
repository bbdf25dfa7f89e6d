import type { LimitsView } from "../../api/views/limits.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Context } from "../session/context.ts";
import { count, hourly } from "../terminal/amount.ts";
import { factLines } from "../views/job-view.ts";
import {
  bodyOf,
  changeFacts,
  type Expiry,
  expiryOf,
  type OfTeam,
  type OrderOptions,
  optionNamed,
  settingInWords,
  teamOf,
} from "./orders.ts";

export type SetLimitsOptions = OrderOptions &
  Expiry &
  OfTeam & { readonly usdPerHour?: number | undefined; readonly gpus?: number | undefined };
export type UnsetLimitsOptions = OrderOptions & OfTeam;

/** The options of `fleet limits set`, without dashes, and the fields of the configuration that they set. */
const fields = { "usd-per-hour": "limits.usdPerHour", gpus: "limits.gpus" } as const;

/** Shows the limits across pools: what is reserved, and what was set instead of the configured ones. */
export async function limits(options: { json?: boolean | undefined }, { connection, console, nowMs }: Context): Promise<number> {
  const found = await connection.api.limits();
  for (const line of options.json ? [JSON.stringify(found)] : limitLines(found, nowMs)) console.out(line);
  return exitCodes.ok;
}

/** Sets limits of the deployment, or of a team in all pools together. */
export async function setLimits(options: SetLimitsOptions, { connection, console, nowMs }: Context): Promise<number> {
  const { usdPerHour, gpus } = options;
  if (usdPerHour === undefined && gpus === undefined) {
    const known = Object.keys(fields).map((option) => `--${option}`);
    throw new UsageError(`name what to set: ${known.join(", ")}`);
  }
  const now = await connection.api.setLimits({
    ...bodyOf(options),
    ...teamOf(options),
    limits: { usdPerHour, gpus },
    ...expiryOf(options),
  });
  for (const line of options.json ? [JSON.stringify(now)] : settingLines(now, nowMs)) console.out(line);
  return exitCodes.ok;
}

/** Lets the configured limits across pools apply again: those that are named, or all. */
export async function unsetLimits(
  { what, ...options }: UnsetLimitsOptions & { readonly what: readonly string[] },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const settings = what.map((text) => optionNamed(text, fields));
  const now = await connection.api.unsetLimits({ ...bodyOf(options), ...teamOf(options), ...(settings.length === 0 ? {} : { settings }) });
  for (const line of options.json ? [JSON.stringify(now)] : settingLines(now, nowMs)) console.out(line);
  return exitCodes.ok;
}

function settingLines({ settings }: LimitsView, nowMs: number): string[] {
  if (settings.length === 0) return ["the limits across pools are those of the configuration"];
  const lines = settings.map((setting) => `across pools: ${settingInWords(setting, nowMs)}`);
  return [...lines, `the next decisions apply this; take it back with: ${commandLine("limits", "unset")}`];
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
