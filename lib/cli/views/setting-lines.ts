import type { SettingView } from "../../api/views/overrides.ts";
import { UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import { when } from "../terminal/duration.ts";
import { sinceWhen } from "./order-words.ts";

/** A place where admins can set values: a pool, or all pools together. */
export type SettingPlace = {
  /** Such as "pool gpu". */
  readonly name: string;
  /** Such as "the limits across pools are those of the configuration". */
  readonly untouched: string;
  /** Such as "the next decision applies this". */
  readonly applied: string;
  /** The words of the command that unsets values there. */
  readonly unset: readonly string[];
  /** The fields that can be set, by option without dashes. */
  readonly fields: Readonly<Record<string, string>>;
};

/** What a command is about: the options, without dashes, and the team. Without a team, the values are those of the whole place. */
export type SettingScope = { readonly options: readonly string[]; readonly team?: string | undefined };

/** Returns the options, without dashes, that were given. Throws a UsageError if none was. `values`: by option. */
export function optionsGiven(values: Readonly<Record<string, unknown>>): readonly string[] {
  const given = Object.keys(values).filter((option) => values[option] !== undefined);
  if (given.length > 0) return given;
  const known = Object.keys(values).map((option) => `--${option}`);
  throw new UsageError(`name what to set: ${known.join(", ")}`);
}

/** Returns the option without dashes that a text names. Fields are also known by their names in the configuration, which other commands show. */
export function optionNamed(text: string, { fields }: Pick<SettingPlace, "fields">): string {
  const found = Object.entries(fields).find(([option, field]) => text === option || text === `--${option}` || text === field);
  if (!found) throw new UsageError(`${text}: expected one of ${Object.keys(fields).join(", ")}`);
  return found[0];
}

/** Returns the fields that options set. */
export const fieldsOf = (options: readonly string[], { fields }: Pick<SettingPlace, "fields">): readonly string[] =>
  options.flatMap((option) => fields[option] ?? []);

/** Returns what applies after values were set, and the command that takes back exactly these. */
export function linesAfterSet(
  place: SettingPlace,
  scope: SettingScope,
  seen: { settings: readonly SettingView[]; nowMs: number },
): string[] {
  if (seen.settings.length === 0) return [place.untouched];
  return [...settingLines(place, seen), `${place.applied}; take it back with: ${unsetLine(place, scope)}`];
}

/**
 * Returns what still applies after values were unset, with a command for each scope that takes it back, and says so if none of them was
 * set. `before`: what applied before; undefined if that is not known.
 */
export function linesAfterUnset(
  place: SettingPlace,
  scope: SettingScope,
  seen: { before: readonly SettingView[] | undefined; settings: readonly SettingView[]; nowMs: number },
): string[] {
  const isMeant = (option: string): boolean => scope.options.length === 0 || scope.options.includes(option);
  const wasSet = seen.before === undefined || optionsSet(place, seen.before, scope.team).some(isMeant);
  const outcome = wasSet ? place.applied : `${nothingSet(place, scope)}, so nothing has changed`;
  if (seen.settings.length === 0) return wasSet ? [place.untouched] : [outcome];
  const teams = [...new Set(seen.settings.map(({ team }) => team))];
  const hints = teams.map((team) => {
    const whose = team === undefined ? "" : ` for team ${team}`;
    return `take back what is still set${whose} with: ${unsetLine(place, { options: optionsSet(place, seen.settings, team), team })}`;
  });
  return [outcome, ...settingLines(place, seen), ...hints];
}

/** Returns the settings of a response; undefined if the call fails, because the command can do its work without them. */
export const seenBefore = (response: Promise<{ readonly settings: readonly SettingView[] }>): Promise<readonly SettingView[] | undefined> =>
  response.then(
    ({ settings }) => settings,
    () => undefined,
  );

const settingLines = ({ name }: SettingPlace, { settings, nowMs }: { settings: readonly SettingView[]; nowMs: number }): string[] =>
  settings.map((setting) => `${name}: ${settingInWords(setting, nowMs)}`);

const unsetLine = ({ unset }: SettingPlace, { options, team }: SettingScope): string =>
  commandLine(...unset, ...options, ...(team === undefined ? [] : ["--team", team]));

/** Returns the options whose values are set for the team, or for the whole place if `team` is undefined. */
const optionsSet = ({ fields }: SettingPlace, settings: readonly SettingView[], team: string | undefined): readonly string[] =>
  Object.entries(fields).flatMap(([option, field]) =>
    settings.some((each) => each.team === team && each.setting === field) ? [option] : [],
  );

function nothingSet({ name }: SettingPlace, { options, team }: SettingScope): string {
  const where = team === undefined ? name : `${name} for team ${team}`;
  return options.length === 0
    ? `${where}: nothing was set`
    : `${where}: ${options.join(" and ")} ${options.length === 1 ? "was" : "were"} not set`;
}

/** Formats `limits.usdPerHour is 40 instead of 20 until …, in 2 h, set by Admin/ada at …, 2 h ago (deadline of a paper)`. */
export function settingInWords({ team, setting, value, configured, by, until, ...set }: SettingView, nowMs: number): string {
  const instead = configured === undefined ? "" : ` instead of ${configured}`;
  const end = until === undefined ? "" : ` until ${when(Date.parse(until), nowMs)}`;
  return `${setting}${team === undefined ? "" : ` of team ${team}`} is ${value}${instead}${end}, set by ${by} at ${sinceWhen(set, nowMs)}`;
}
