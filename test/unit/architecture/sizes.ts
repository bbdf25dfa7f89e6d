import { posix } from "node:path";
import { localImportsOf, type Module, pathsNamedIn } from "./modules.ts";

const maxLines = 300;
const maxFiles = 20;
/** A file that is shorter than this should have a reason to be a separate file. */
const fewLines = 40;

/** Folders that intentionally have one file per kind, however short it is. */
const families = ["cdk/handlers", "lib/api/operations", "lib/runtime/wire", "lib/sim/invariants"];

const linesOf = ({ source }: Module): number => source.split("\n").length - (source.endsWith("\n") ? 1 : 0);

export const longFiles = (modules: readonly Module[]): string[] =>
  modules
    .filter((module) => linesOf(module) > maxLines)
    .map((module) => `${module.path} has ${linesOf(module)} lines; at most ${maxLines} are allowed`);

/** Returns folders with too many files. Files in subfolders do not count. */
export const crowdedFolders = (modules: readonly Module[]): string[] =>
  [...Map.groupBy(modules, ({ path }) => posix.dirname(path))]
    .filter(([, files]) => files.length > maxFiles)
    .map(([folder, files]) => `${folder} has ${files.length} files; at most ${maxFiles} are allowed`);

/** Returns short files that exactly one other file imports and no test names. Readers would find such code sooner in its importer. */
export function splinters(modules: readonly Module[], tests: readonly Module[]): string[] {
  const tested = new Set(tests.flatMap(pathsNamedIn));
  const importers = new Map<string, Set<string>>();
  for (const { path, imports } of modules.map((module) => ({ path: module.path, imports: localImportsOf(module) })))
    for (const imported of imports) importers.set(imported, (importers.get(imported) ?? new Set()).add(path));
  return modules
    .filter((module) => linesOf(module) < fewLines && importers.get(module.path)?.size === 1 && !tested.has(module.path))
    .map(({ path }) => path)
    .filter((path) => !families.includes(posix.dirname(path)));
}
