/**
 * `node lib/cli/build.ts` builds the command that `npm pack` ships, into .build/cli. The build bundles everything that it imports, so
 * that no other package must be installed, and it runs on Node 20 and later. It leaves out the commands that need the checkout
 * (checkout.ts prints the error for those).
 */
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";
import * as z from "zod";
import { packageRoot } from "./invocation/folders.ts";

const Package = z.object({ name: z.string(), version: z.string(), license: z.string() });

const out = join(packageRoot, ".build", "cli");

/** Commands that run the fleet's own sources. Their imports stay in the code, and are never reached. */
const ofTheCheckout = [
  ...["local", "demo", "chaos", "chaos-wire"].map((name) => `./lib/cli/commands/${name}.ts`),
  ...["cost.ts", "control/control-cost.ts"].map((file) => `./lib/cli/cost/${file}`),
];

/** Defines `require`, because packages that are still CommonJS call it for Node's own modules, and an ES module has none by default. */
const banner = 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);';

await rm(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: packageRoot,
  entryPoints: ["lib/cli/fleet.ts"],
  outdir: out,
  bundle: true,
  // Splitting makes each command load only the code that it uses.
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  mainFields: ["module", "main"],
  // Identifiers are not minified, so that the stacks that FLEETWRIGHT_DEBUG prints stay readable.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  external: ofTheCheckout,
  banner: { js: banner },
  metafile: true,
  logLevel: "warning",
});
// The solver reads this file at run time, from the folder of its own code.
await copyFile(fileURLToPath(import.meta.resolve("highs/runtime")), join(out, "highs.wasm"));
await writeFile(join(out, "THIRD-PARTY.txt"), await licences(packagesIn(metafile)));

/** Returns the folders of the packages whose code is in the build. */
function packagesIn({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].toSorted();
}

/** Returns the licences of the packages, which must be distributed with the code. A text that several packages share appears once. */
async function licences(folders: readonly string[]): Promise<string> {
  const packages = await Promise.all(folders.map(licenceOf));
  const sections = [...Map.groupBy(packages, ({ text }) => text)].map(([text, those]) =>
    [`=== ${those.map(({ title }) => title).join(", ")}`, text].join("\n\n"),
  );
  return `${["The code in this folder contains code from these packages.", ...sections].join("\n\n")}\n`;
}

async function licenceOf(folder: string): Promise<{ readonly title: string; readonly text: string }> {
  const path = join(packageRoot, folder);
  const names = (await readdir(path)).filter((name) => /^(licen[cs]e|notice)/i.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), "utf8")));
  const { name, version, license } = Package.parse(JSON.parse(await readFile(join(path, "package.json"), "utf8")));
  return { title: `${name} ${version} (${license})`, text: texts.map((text) => text.trim()).join("\n\n") };
}

process.stdout.write(`built ${out}\n`);
