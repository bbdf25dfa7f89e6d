import { posix } from "node:path";

/** A TypeScript file, with its path from the root of the repository, separated by `/`. */
export type Module = { readonly path: string; readonly source: string };

const specifierPatterns = [
  // import … from "x", export … from "x"; the clause may span lines.
  /^[ \t]*(?:import|export)\b[^"'`;=]*?\bfrom\s*["']([^"']+)["']/gm,
  // import "x"
  /^[ \t]*import\s*["']([^"']+)["']/gm,
  // import("x"), as an expression or a type
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
];

/** Returns a function that computes its result once per module, because the same modules are checked many times. */
export function once<T>(look: (module: Module) => T): (module: Module) => T {
  const seen = new WeakMap<Module, { readonly found: T }>();
  return (module) => {
    const known = seen.get(module) ?? { found: look(module) };
    seen.set(module, known);
    return known.found;
  };
}

export const codeOf = once(({ source }: Module): string => withoutComments(source));

/** Returns everything that a module imports: static, re-exported or dynamic, including types. */
export const specifiersOf = once((module: Module): readonly string[] => {
  const code = codeOf(module);
  return specifierPatterns.flatMap((pattern) => [...code.matchAll(pattern)].map((found) => found[1] ?? ""));
});

/** Returns the paths of the project's modules that a module imports. */
export const localImportsOf = once((module: Module): readonly string[] =>
  specifiersOf(module)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(module.path), specifier)),
);

/** Returns the packages and Node modules that a module imports. */
export const packagesOf = (module: Module): string[] => specifiersOf(module).filter((specifier) => !specifier.startsWith("."));

/** Removes comments that begin a line. Only they may contain prose about imports and clocks. */
export const withoutComments = (source: string): string =>
  source.replaceAll(/^[ \t]*\/\*[\s\S]*?\*\//gm, "").replaceAll(/^[ \t]*\/\/.*$/gm, "");

/** Returns every relative path in a module: what it imports, and what it loads in another way, such as `new URL("./x.ts", …)`. */
export const pathsNamedIn = once((module: Module): readonly string[] =>
  [...module.source.matchAll(/(["'`])(\.{1,2}\/[^"'`\s]+)\1/g)].map(([, , path = ""]) => posix.join(posix.dirname(module.path), path)),
);
