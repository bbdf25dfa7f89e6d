import { minuteName } from "../values/period.ts";
import type { WhenSpent } from "../values/when-spent.ts";

/** Who ordered something, why, and when. */
export type Ordered = {
  /** The admin, as IAM names the caller. */
  readonly by: string;
  /** Undefined if no reason was given. */
  readonly because?: string | undefined;
  readonly sinceMs: number;
};

/** The limits, budgets and minimum of a pool that admins can override while it runs, in the units of the configuration. */
export type SettingValues = {
  readonly usdPerHour?: number | undefined;
  readonly gpus?: number | undefined;
  readonly usdPerDay?: number | undefined;
  readonly usdPerMonth?: number | undefined;
  readonly whenSpent?: WhenSpent | undefined;
  readonly minNodes?: number | undefined;
};
export type SettingName = keyof SettingValues;

/** A value that applies instead of the configured one, until `untilMs` if that is set. */
export type Setting<V = number | WhenSpent> = Ordered & { readonly value: V; readonly untilMs?: number | undefined };

/** The values that admins have set, whether they have expired or not. */
export type PoolSettings = { readonly [N in SettingName]?: Setting<NonNullable<SettingValues[N]>> | undefined };

/** The name of each setting's field in the configuration of a pool. */
export const fieldOf = {
  usdPerHour: "limits.usdPerHour",
  gpus: "limits.gpus",
  usdPerDay: "budgets.usdPerDay",
  usdPerMonth: "budgets.usdPerMonth",
  whenSpent: "budgets.whenSpent",
  minNodes: "minNodes",
} as const satisfies Record<SettingName, string>;

const names = ["usdPerHour", "gpus", "usdPerDay", "usdPerMonth", "whenSpent", "minNodes"] as const satisfies readonly SettingName[];

/** Returns the name of the setting with this field; undefined if admins cannot set the field. */
export const settingOfField = (field: string): SettingName | undefined => names.find((name) => fieldOf[name] === field);

/** Returns the settings that apply, with their names. Those that have expired, and those of a later release, do not. */
export const settingsInForce = (settings: PoolSettings | undefined, nowMs: number): readonly (readonly [SettingName, Setting])[] =>
  names.flatMap((name) => {
    const setting = settings?.[name];
    return setting && (setting.untilMs === undefined || setting.untilMs > nowMs) ? [[name, setting] as const] : [];
  });

/** Returns when the next of these settings expires; undefined if none does. */
export function nextExpiryMs(all: readonly (PoolSettings | undefined)[], nowMs: number): number | undefined {
  const ahead = all.flatMap((settings) => settingsInForce(settings, nowMs)).flatMap(([, { untilMs }]) => untilMs ?? []);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

/** Returns the settings after values were set, without those that have expired; or the same object if they hold already. */
export function withValues(
  current: PoolSettings | undefined,
  { values, untilMs }: { readonly values: SettingValues; readonly untilMs?: number | undefined },
  ordered: Ordered,
): PoolSettings | undefined {
  const given = names.filter((name) => values[name] !== undefined);
  const holds = given.every((name) => current?.[name]?.value === values[name] && current?.[name]?.untilMs === untilMs);
  if (holds) return current;
  const set = given.map((name) => [name, { ...ordered, value: values[name], ...(untilMs === undefined ? {} : { untilMs }) }]);
  return { ...lasting(current, ordered.sinceMs), ...Object.fromEntries(set) };
}

/** Returns the settings without those of these names, of which there may be none; or the same object if it has none of them. */
export function withoutValues(current: PoolSettings | undefined, unset: readonly SettingName[]): PoolSettings | undefined {
  if (!unset.some((name) => current?.[name])) return current;
  return kept(current, (name) => !unset.some((each) => each === name));
}

const lasting = (settings: PoolSettings | undefined, nowMs: number): PoolSettings | undefined => {
  const inForce = new Set<string>(settingsInForce(settings, nowMs).map(([name]) => name));
  return kept(settings, (name) => inForce.has(name) || !names.some((each) => each === name));
};

/** Settings of a later release are kept. */
function kept(settings: PoolSettings | undefined, isKept: (name: string) => boolean): PoolSettings | undefined {
  const entries = Object.entries(settings ?? {}).filter(([name]) => isKept(name));
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** Formats `limits.usdPerHour to 40, limits.gpus to 16 until 2026-06-01 12:00 UTC`. */
export function valuesInWords({ values, untilMs }: { readonly values: SettingValues; readonly untilMs?: number | undefined }): string {
  const each = names.flatMap((name) => (values[name] === undefined ? [] : `${fieldOf[name]} to ${values[name]}`));
  return `${each.join(", ")}${untilMs === undefined ? "" : ` until ${minuteName(untilMs)}`}`;
}

/** Formats `limits.usdPerHour, limits.gpus`. */
export const namesInWords = (unset: readonly SettingName[]): string => unset.map((name) => fieldOf[name]).join(", ");

/** All settings. */
export const settingNames: readonly SettingName[] = names;
