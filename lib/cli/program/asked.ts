import { InvalidArgumentError, Option } from "commander";
import { secondsOf } from "../terminal/duration.ts";

export const team = (): Option =>
  new Option("--team <team>", "the team to speak for (default: the only one, or your own)").env("FLEETWRIGHT_TEAM");
export const json = (): Option => new Option("--json", "print JSON, for programs");
export const pool = (): Option => new Option("--pool <pool>", "of this pool only");
export const cursor = (): Option => new Option("--cursor <cursor>", "go on where the last page ended");
export const limit = (most: number): Option => new Option("--limit <n>", "how many").argParser((text) => whole(text, 1, most)).default(20);

export const named = (): Option => new Option("--name <pattern>", "only those whose id fits: * for any letters, ? for one; quote it");
export const inPool = (): Option => new Option("--pool <pool>", "only those of this pool");
export const since = (): Option =>
  new Option("--since <time>", "only those submitted then or later: 2h for so long ago, or 2026-06-01T12:00Z");
export const before = (): Option => new Option("--before <time>", "only those submitted before then");

export function whole(text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted`);
  return value;
}

/** Whether it is one that makes sense, the job message's schema says. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number is wanted");
  return value;
}

export function seconds(text: string): number {
  const value = secondsOf(text);
  if (value === undefined) throw new InvalidArgumentError("a duration is wanted, such as 90s, 45m, 2h or 1h30m");
  return value;
}

export const each = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** `NAME=VALUE`, once for each variable. */
export function variable(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("a variable is wanted as NAME=VALUE");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

type DatasetUse = { readonly name: string; readonly share: string };

/** `NAME`, or `NAME:part` for what the job's node has been dealt of it. */
export function dataset(text: string, before: readonly DatasetUse[] = []): readonly DatasetUse[] {
  const [name = "", share = "whole", ...more] = text.split(":");
  if (more.length > 0 || (share !== "whole" && share !== "part"))
    throw new InvalidArgumentError("a dataset is wanted as NAME or NAME:part");
  return [...before, { name, share }];
}
