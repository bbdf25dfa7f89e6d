/**
 * `node lib/cli/build.ts` builds the command that `npm pack` ships, into .build/cli: everything that it imports is in it, so that
 * nothing has to be installed beside it, and it runs on Node 20 and later. What needs the checkout is left out (checkout.ts says so).
 */
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";
import * as z from "zod";
import { packageRoot } from "./invocation/folders.ts";

const Package = z.object({ name: z.string(), version: z.string(), license: z.string() });

const out = join(packageRoot, ".build", "cli");

/** They run the fleet's own sources. Their imports stay in the code, and are never reached. */
const ofTheCheckout = ["local", "demo", "chaos", "chaos-wire"].map((name) => `./lib/cli/commands/${name}.ts`);

/** Packages that are still CommonJS call `require` for Node's own modules; an ES module has none unless it makes one. */
const banner = 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);';

await rm(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: packageRoot,
  entryPoints: ["lib/cli/fleet.ts"],
  outdir: out,
  bundle: true,
  // A command loads what it uses and no more.
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  mainFields: ["module", "main"],
  // Names stay, so that FLEETWRIGHT_DEBUG shows where an error came from.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  external: ofTheCheckout,
  banner: { js: banner },
  metafile: true,
  logLevel: "warning",
});
// It is read at run time, from beside the code that asks for it.
await copyFile(fileURLToPath(import.meta.resolve("highs/runtime")), join(out, "highs.wasm"));
await writeFile(join(out, "THIRD-PARTY.txt"), await licences(packagesIn(metafile)));

/** The folders of the packages that code was taken from. */
function packagesIn({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].toSorted();
}

/** Their licences ask to be passed on with the code. A text that many share is there once. */
async function licences(folders: readonly string[]): Promise<string> {
  const packages = await Promise.all(folders.map(licenceOf));
  const sections = [...Map.groupBy(packages, ({ text }) => text)].map(([text, those]) =>
    [`=== ${those.map(({ title }) => title).join(", ")}`, text].join("\n\n"),
  );
  return `${["The code in this folder holds code of these packages.", ...sections].join("\n\n")}\n`;
}

async function licenceOf(folder: string): Promise<{ readonly title: string; readonly text: string }> {
  const path = join(packageRoot, folder);
  const names = (await readdir(path)).filter((name) => /^(licen[cs]e|notice)/i.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), "utf8")));
  const { name, version, license } = Package.parse(JSON.parse(await readFile(join(path, "package.json"), "utf8")));
  return { title: `${name} ${version} (${license})`, text: texts.map((text) => text.trim()).join("\n\n") };
}

process.stdout.write(`built ${out}\n`);
