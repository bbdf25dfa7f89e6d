import { InvalidArgumentError, Option } from "commander";
import { duration, secondsOf } from "../terminal/duration.ts";

export const team = (): Option =>
  new Option("--team <team>", "the team to act for (default: the only team, or your own)").env("FLEETWRIGHT_TEAM");
export const json = (): Option => new Option("--json", "print JSON, for programs to read");
export const pool = (): Option => new Option("--pool <pool>", "show this pool only");
export const cursor = (): Option => new Option("--cursor <cursor>", "continue where the last page ended");
export const limit = (most: number): Option =>
  new Option("--limit <n>", "show at most this many").argParser((text) => whole(text, 1, most)).default(20);

export const named = (): Option =>
  new Option("--name <pattern>", "only jobs whose id matches: * stands for any characters, ? for one; quote it");
export const inPool = (): Option => new Option("--pool <pool>", "only jobs of this pool");
export const since = (): Option =>
  new Option("--since <time>", "only jobs submitted at or after this time: 2h means two hours ago; or 2026-06-01T12:00Z");
export const before = (): Option => new Option("--before <time>", "only jobs submitted before this time");

export function whole(text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  return value;
}

/** Returns the number in a text. The schema of the job message checks its range. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number");
  return value;
}

export function seconds(text: string): number {
  const value = secondsOf(text);
  if (value === undefined) throw new InvalidArgumentError("expected a duration such as 90s, 45m, 2h or 1h30m");
  return value;
}

/** Returns a parser of durations from `least` to `most` seconds. */
export const secondsWithin =
  (least: number, most: number) =>
  (text: string): number => {
    const value = seconds(text);
    if (value < least || value > most)
      throw new InvalidArgumentError(`expected a duration from ${duration(least * 1_000)} to ${duration(most * 1_000)}`);
    return value;
  };

export const each = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** Adds a variable given as `NAME=VALUE` to those before it. */
export function variable(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected a variable as NAME=VALUE");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

type DatasetUse = { readonly name: string; readonly share: string };

/** Adds a dataset given as `NAME`, or as `NAME:part` for the part that is assigned to the job's node. */
export function dataset(text: string, before: readonly DatasetUse[] = []): readonly DatasetUse[] {
  const [name = "", share = "whole", ...more] = text.split(":");
  if (more.length > 0 || (share !== "whole" && share !== "part")) throw new InvalidArgumentError("expected a dataset as NAME or NAME:part");
  return [...before, { name, share }];
}
