import { codeOf, type Module } from "./modules.ts";

/** Returns each name under which more than one file exports a type, an interface or a class, with these files. */
export function ambiguousTypes(modules: readonly Module[]): readonly string[] {
  const exported = modules.flatMap((module) => typesOf(module).map((name) => ({ name, path: module.path })));
  return [...Map.groupBy(exported, ({ name }) => name)]
    .filter(([, found]) => found.length > 1)
    .map(([name, found]) => `${name}: ${found.map(({ path }) => path).join(", ")}`)
    .sort();
}

/** Returns the names of the types that a module exports. A schema and the type inferred from it have one name. */
const typesOf = (module: Module): readonly string[] => [
  ...new Set(
    [...codeOf(module).matchAll(/^export (?:declare )?(?:abstract )?(?:type|interface|class) (\w+)/gm)].map(([, name = ""]) => name),
  ),
];
