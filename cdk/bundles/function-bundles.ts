import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { Environments, type FunctionName } from "../../lib/runtime/env.ts";
import { type Configuration, fleetFile } from "../configuration/configuration.ts";
import { root } from "./root.ts";
import { bundleOptions } from "./worker-assets.ts";

/** The handlers' names, which are also the names of their files in functions/. */
const names = Object.keys(Environments);

/** The path of a folder that holds each function's code in a subfolder with the function's name. */
export type FunctionBundles = string;

export const bundleOf = (bundles: FunctionBundles, name: FunctionName): string => join(bundles, name);

/**
 * Bundles all handlers, with the `fleet.json` that each reads when it starts, into a new folder. A single run of esbuild reads
 * shared modules only once. The caller must remove the folder.
 */
export function bundleFunctions(configuration: Configuration): FunctionBundles {
  const build = join(root, ".build");
  mkdirSync(build, { recursive: true });
  // The folder is always at the same depth, because source maps name the sources relative to it and CDK hashes them, too.
  const bundles = mkdtempSync(join(build, "functions-"));
  buildSync({
    absWorkingDir: root,
    entryPoints: names.map((name) => join("functions", `${name}.ts`)),
    outdir: bundles,
    entryNames: "[name]/index",
    outExtension: { ".js": ".mjs" },
    ...bundleOptions,
    sourcemap: true,
    sourcesContent: false,
  });
  const fleet = JSON.stringify(fleetFile(configuration));
  for (const name of names) writeFileSync(join(bundles, name, "fleet.json"), fleet);
  return bundles;
}
