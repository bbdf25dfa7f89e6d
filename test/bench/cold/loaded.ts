import type { Metafile } from "esbuild";

/** A package, or a folder of the project such as `lib/aws`, and how much of a bundle its code is. */
export type Part = { readonly name: string; readonly bytes: number; readonly isLazy: boolean };

/** What a bundle consists of. `parts`: the largest first; a package of which some is loaded at import and some later is two parts. */
export type Loaded = { readonly bytes: number; readonly bytesAtImport: number; readonly parts: readonly Part[] };

/** Returns what is loaded with a bundle's entry point, `index.mjs`, and what is loaded when it is first needed. */
export function loadedOf({ outputs }: Pick<Metafile, "outputs">): Loaded {
  const code = Object.entries(outputs).filter(([path]) => path.endsWith(".mjs"));
  const entry = code.find(([path]) => path.endsWith("/index.mjs"));
  if (entry === undefined) throw new Error("the bundle has no index.mjs");
  const atImport = withImports(outputs, entry[0]);
  const parts = new Map<string, Part>();
  for (const [path, { inputs }] of code) {
    const isLazy = !atImport.has(path);
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const name = partOf(input);
      const key = `${name} ${isLazy}`;
      parts.set(key, { name, isLazy, bytes: (parts.get(key)?.bytes ?? 0) + bytesInOutput });
    }
  }
  const bytesOf = (files: typeof code): number => files.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  return {
    bytes: bytesOf(code),
    bytesAtImport: bytesOf(code.filter(([path]) => atImport.has(path))),
    parts: [...parts.values()].toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1)),
  };
}

/** Returns a file and all files that its import statements load, however indirectly. */
function withImports(outputs: Metafile["outputs"], entry: string): ReadonlySet<string> {
  const found = new Set([entry]);
  for (const path of found) {
    for (const each of outputs[path]?.imports ?? []) if (each.kind === "import-statement" && !each.external) found.add(each.path);
  }
  return found;
}

/** Returns the package that a source file belongs to, or the project's folder that it is in. */
export function partOf(input: string): string {
  const packages = [...input.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)];
  return packages.at(-1)?.[1] ?? input.split("/").slice(0, -1).slice(0, 2).join("/");
}

/** Why a bundle may be large; undefined if it may not. */
export function whyLarge({ parts }: Loaded): string | undefined {
  const names = new Set(parts.map(({ name }) => name));
  if (names.has("@aws-crypto/client-node")) return "it holds the AWS Encryption SDK";
  return names.has("lib/optimizer") ? "it holds the optimizer" : undefined;
}
