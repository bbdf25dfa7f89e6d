import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { Environments, type FunctionName } from "../../lib/runtime/env.ts";
import { type Configuration, fleetFile } from "../configuration/configuration.ts";
import { root } from "./root.ts";
import { shakenSchemas } from "./shaken-schemas.ts";
import { standIns } from "./stand-ins.ts";
import { bundleOptions } from "./worker-assets.ts";

/** The handlers' names, which are also the names of their files in functions/. */
const names = Object.keys(Environments) as FunctionName[];

/** The path of a folder that holds each function's code in a subfolder with the function's name. */
export type FunctionBundles = string;

export const bundleOf = (bundles: FunctionBundles, name: FunctionName): string => join(bundles, name);

/** `metafiles`: what esbuild says about each function's files: what is in them, and which loads which. */
export type BuiltFunctions = { readonly bundles: FunctionBundles; readonly metafiles: ReadonlyMap<FunctionName, Metafile> };

/**
 * Bundles all handlers, with the `fleet.json` that each reads when it starts, into a new folder. What a handler imports when it first needs
 * it becomes a file of its own next to `index.mjs`, so that a cold start does not have to read it. The caller must remove the folder.
 */
export async function bundleFunctions(configuration: Configuration): Promise<BuiltFunctions> {
  const outdir = join(root, ".build");
  mkdirSync(outdir, { recursive: true });
  // The folder is always at the same depth, because source maps name the sources relative to it and CDK hashes them, too.
  const bundles = mkdtempSync(join(outdir, "functions-"));
  // Each in a run of its own, because functions that are built together would share files.
  const built = await Promise.all(names.map(async (name) => [name, await bundleFunction(name, bundleOf(bundles, name))] as const));
  const fleet = JSON.stringify(fleetFile(configuration));
  for (const name of names) writeFileSync(join(bundles, name, "fleet.json"), fleet);
  return { bundles, metafiles: new Map(built) };
}

async function bundleFunction(name: FunctionName, outdir: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join("functions", `${name}.ts`)],
    outdir,
    entryNames: "index",
    outExtension: { ".js": ".mjs" },
    ...bundleOptions,
    splitting: true,
    plugins: [shakenSchemas, standIns],
    // Only browsers load it, to name themselves.
    external: ["bowser"],
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
  });
  return metafile;
}
