import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stack-traces-"));
  await writeFile(
    join(folder, "function.ts"),
    `import { traceSources } from ${JSON.stringify(join(import.meta.dirname, "../../../lib/runtime/stack-traces.ts"))};
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
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the bundled function prints. */
async function printed(sourcemap: boolean): Promise<string> {
  const outfile = join(folder, `${sourcemap}.mjs`);
  await build({
    entryPoints: [join(folder, "function.ts")],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    sourcemap,
  });
  const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
  return stdout;
}

it("name the sources' lines, and whatever is not of the bundle as it is", async () => {
  const lines = (await printed(true)).split("\n");
  expect(lines[0]).toBe("RangeError: no such pool");
  expect(lines[1]).toMatch(/^ {4}at \w+ \(function\.ts:5:\d+\)$/);
  expect(lines[2]).toMatch(/^ {4}at function\.ts:8:\d+$/);
  expect(lines.filter((line) => line.includes("node:internal"))).not.toEqual([]);
  expect(lines.filter((line) => line.includes(".mjs"))).toEqual([]);
});

it("name the bundle's lines where it has no map", async () => {
  const [first, second] = (await printed(false)).split("\n");
  expect([first, second]).toEqual(["RangeError: no such pool", expect.stringMatching(/^ {4}at \w+ \(file:.*false\.mjs:\d+:\d+\)$/)]);
});
