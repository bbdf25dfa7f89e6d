import { type Module, pathsNamedIn } from "../unit/architecture/modules.ts";

/** The imports of types, which exist for the compiler alone. */
const ofTypes = /^(?:import|export) type\b[^;]*;$/gm;

/** Returns the modules that a module loads: what it imports and what it names in another way, such as the file of a process that it starts. */
function loadedBy(module: Module, known: ReadonlySet<string>): readonly string[] {
  const source = module.source.replaceAll(ofTypes, "");
  const joined = [...source.matchAll(/\bjoin\([\w.]+((?:, "[\w.-]+")+)\)/g)].map(([, parts = ""]) => parts);
  const fromRoot = joined.map((parts) => [...parts.matchAll(/"([^"]+)"/g)].map(([, part]) => part).join("/"));
  const folder = module.path.slice(0, module.path.lastIndexOf("/"));
  return [...pathsNamedIn({ ...module, source }), ...fromRoot, ...fromRoot.map((path) => `${folder}/${path}`)].filter((path) =>
    known.has(path),
  );
}

export type Reach = {
  /** Returns the modules that load a module. */
  readonly importersOf: (path: string) => readonly string[];
  /** Returns the test files that reach a module, the nearest first. */
  readonly testsOf: (path: string) => readonly string[];
};

export function reach(modules: readonly Module[]): Reach {
  const known = new Set(modules.map(({ path }) => path));
  const importers = new Map<string, string[]>();
  for (const module of modules)
    for (const loaded of loadedBy(module, known)) importers.set(loaded, [...(importers.get(loaded) ?? []), module.path]);
  const importersOf = (path: string): readonly string[] => (importers.get(path) ?? []).toSorted();
  return {
    importersOf,
    testsOf(path) {
      const found = new Set([path]);
      for (const each of found) for (const importer of importersOf(each)) found.add(importer);
      return [...found].filter((each) => each.endsWith(".test.ts"));
    },
  };
}
