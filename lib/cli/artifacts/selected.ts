import type { SealedManifest } from "../../model/artifact.ts";
import { hasMagic, isBelow } from "../../model/files/glob.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";

/** Returns the part of a list that matches the patterns: a path, everything below a folder, or a glob. Without patterns, returns all. */
export function selected(kept: SealedManifest, patterns: readonly string[]): SealedManifest {
  if (patterns.length === 0) return kept;
  const isSelected = ({ path }: { readonly path: string }): boolean => patterns.some((pattern) => isBelow(pattern, path));
  const { leftOutMore: _unnamed, ...named } = kept;
  return {
    ...named,
    artifacts: kept.artifacts.filter(isSelected),
    leftOut: kept.leftOut.filter(isSelected),
    lost: kept.lost.filter(isSelected),
    missing: kept.missing.filter((name) => patterns.includes(name)),
  };
}

const maxNamed = 5;

/** Throws a FleetError that names what exists if a pattern matches no artifact. */
export function mustMatch({ artifacts, job }: SealedManifest, patterns: readonly string[]): void {
  const unmatched = patterns.filter((pattern) => !artifacts.some(({ path }) => isBelow(pattern, path)));
  if (unmatched.length === 0) return;
  const names = artifacts.slice(0, maxNamed).map(({ path }) => path);
  const there = `there are ${names.join(", ")}${artifacts.length > maxNamed ? ` and ${artifacts.length - maxNamed} more` : ""}`;
  const folder = unmatched.find((each) => !hasMagic(each));
  const hint =
    folder === undefined ? "" : `; to fetch everything into a folder of that name: ${commandLine("artifacts", "get", job, "--to", folder)}`;
  throw new FleetError("no-match", `nothing matches ${unmatched.join(", ")}: ${there}${hint}`);
}

/** Returns where files go, and which files. The first word may be the folder, for example `./out`, if no option names it. */
export function whereAndWhat(
  words: readonly string[],
  to: string | undefined,
): { readonly folder?: string | undefined; readonly patterns: readonly string[] } {
  const [first, ...rest] = words;
  const isFolder = first !== undefined && /^(\.{1,2}(\/|$)|\/)|\/$/.test(first) && !hasMagic(first);
  if (!isFolder) return { folder: to, patterns: words };
  if (to !== undefined) throw new UsageError(`there are two folders to fetch into, ${to} and ${first}; name only one`);
  return { folder: first, patterns: rest };
}
