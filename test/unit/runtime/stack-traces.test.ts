import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";

const lib = (path: string): string => JSON.stringify(join(import.meta.dirname, "../../../lib", path));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stack-traces-"));
  await writeFile(
    join(folder, "function.ts"),
    `import { traceSources } from ${lib("runtime/stack-traces.ts")};
traceSources(import.meta.url);

function decides(): never {
  throw new RangeError("no such pool");
}
try {
  decides();
} catch (error) {
  console.log((error as Error).stack);
}
console.log(await import("node:fs/promises").then(({ readFile }) => readFile("/nowhere")).catch(({ stack }) => stack));
`,
  );
  await writeFile(
    join(folder, "logging.ts"),
    `import { functionLogger } from ${lib("runtime/logger.ts")};
import { traceSources } from ${lib("runtime/stack-traces.ts")};
import { FleetError } from ${lib("model/fleet-error.ts")};
traceSources(import.meta.url);

function reads(offer: { price?: { usd: number } }): number {
  try {
    return offer.price!.usd;
  } catch (cause) {
    throw new FleetError("offer", "the offer has no price", { cause });
  }
}
try {
  reads({});
} catch (error) {
  functionLogger("prod-place").error("a step failed", { error });
}
`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Returns the output of the bundled function on stdout and stderr. */
async function printed(sourcemap: boolean, entry = "function"): Promise<string> {
  const outfile = join(folder, `${entry}-${sourcemap}.mjs`);
  await build({
    entryPoints: [join(folder, `${entry}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    sourcemap,
  });
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [outfile]);
  return stdout + stderr;
}

it("stack traces name the sources' lines and leave frames outside the bundle as they are", async () => {
  const lines = (await printed(true)).split("\n");
  expect(lines[0]).toBe("RangeError: no such pool");
  expect(lines[1]).toMatch(/^ {4}at \w+ \(function\.ts:5:\d+\)$/);
  expect(lines[2]).toMatch(/^ {4}at function\.ts:8:\d+$/);
  expect(lines.filter((line) => line.includes("node:internal"))).not.toEqual([]);
  expect(lines.filter((line) => line.includes(".mjs"))).toEqual([]);
});

it("stack traces name the bundle's lines if there is no source map", async () => {
  const [first, second] = (await printed(false)).split("\n");
  expect([first, second]).toEqual([
    "RangeError: no such pool",
    expect.stringMatching(/^ {4}at \w+ \(file:.*function-false\.mjs:\d+:\d+\)$/),
  ]);
});

it("errors and causes that a bundled function logs name the sources' lines", async () => {
  const { error } = JSON.parse(await printed(true, "logging"));
  expect(error).toMatchObject({ name: "FleetError", code: "offer", message: "the offer has no price", cause: { name: "TypeError" } });
  expect(error.stack).toMatch(/^FleetError: the offer has no price\n {4}at \w+ \(logging\.ts:10:\d+\)\n {4}at logging\.ts:14:\d+/);
  expect(error.cause.stack).toMatch(/^TypeError: Cannot read properties of undefined \(reading 'usd'\)\n {4}at \w+ \(logging\.ts:8:\d+\)/);
});

it("stack traces of a file that a bundle loads later name the sources' lines, too", async () => {
  await writeFile(join(folder, "part.ts"), `export function fails(): never {\n  throw new Error("later");\n}\n`);
  await writeFile(
    join(folder, "whole.ts"),
    `import { traceSources } from ${lib("runtime/stack-traces.ts")};
traceSources(import.meta.url);
const { fails } = await import("./part.ts");
try {
  fails();
} catch (error) {
  console.log((error as Error).stack);
}
`,
  );
  const outdir = join(folder, "split");
  await build({
    entryPoints: [join(folder, "whole.ts")],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "node",
    sourcemap: true,
  });
  const { stdout } = await promisify(execFile)(process.execPath, [join(outdir, "whole.mjs")]);
  const lines = stdout.split("\n");
  expect(lines[1]).toMatch(/^ {4}at \w+ \(part\.ts:2:\d+\)$/);
  expect(lines[2]).toMatch(/^ {4}at whole\.ts:5:\d+$/);
});
