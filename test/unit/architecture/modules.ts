import { posix } from "node:path";

/** A TypeScript file, by its path from the repository's root, with `/`. */
export type Module = { readonly path: string; readonly source: string };

const specifierPatterns = [
  // import … from "x", export … from "x"; the clause may span lines.
  /^[ \t]*(?:import|export)\b[^"'`;=]*?\bfrom\s*["']([^"']+)["']/gm,
  // import "x"
  /^[ \t]*import\s*["']([^"']+)["']/gm,
  // import("x"), as an expression or a type
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
];

/** Looks at each module once: the same ones are judged beside many others. */
export function once<T>(look: (module: Module) => T): (module: Module) => T {
  const seen = new WeakMap<Module, { readonly found: T }>();
  return (module) => {
    const known = seen.get(module) ?? { found: look(module) };
    seen.set(module, known);
    return known.found;
  };
}

export const codeOf = once(({ source }: Module): string => withoutComments(source));

/** Everything a module imports: static, re-exported, dynamic, types as well. */
export const specifiersOf = once((module: Module): readonly string[] => {
  const code = codeOf(module);
  return specifierPatterns.flatMap((pattern) => [...code.matchAll(pattern)].map((found) => found[1] ?? ""));
});

/** The paths of our own modules that it imports. */
export const localImportsOf = once((module: Module): readonly string[] =>
  specifiersOf(module)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(module.path), specifier)),
);

/** What of it comes from elsewhere: packages and Node's own. */
export const packagesOf = (module: Module): string[] => specifiersOf(module).filter((specifier) => !specifier.startsWith("."));

/** Whole-line comments only: those are the ones that hold prose about imports and clocks. */
export const withoutComments = (source: string): string =>
  source.replaceAll(/^[ \t]*\/\*[\s\S]*?\*\//gm, "").replaceAll(/^[ \t]*\/\/.*$/gm, "");

/** Every path that it writes as a relative one: what it imports, and what it loads in another way, such as `new URL("./x.ts", …)`. */
export const pathsNamedIn = once((module: Module): readonly string[] =>
  [...module.source.matchAll(/(["'`])(\.{1,2}\/[^"'`\s]+)\1/g)].map(([, , path = ""]) => posix.join(posix.dirname(module.path), path)),
);
