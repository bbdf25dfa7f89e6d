import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { synthesize } from "../../../lib/local/synthesize.ts";

let folder = "";
let configuration = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "synthesize-"));
  configuration = join(folder, "fleet.config.ts");
  await writeFile(configuration, "export default {};\n");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Synthesizes by a program that does `then` after it has begun an assembly. */
async function synth(then = ""): Promise<{ readonly assembly: string; readonly lines: readonly string[] }> {
  const app = join(folder, "app.mjs");
  await writeFile(
    app,
    `import { mkdirSync, writeFileSync } from "node:fs";
    const out = process.env.CDK_OUTDIR;
    mkdirSync(out, { recursive: true });
    ${then}
    writeFileSync(out + "/manifest.json", process.env.FLEETWRIGHT_CONFIG);`,
  );
  const lines: string[] = [];
  const assembly = await synthesize({ folder, configuration, app, log: ({ message }) => void lines.push(message) });
  return { assembly, lines };
}
const assemblies = async (): Promise<readonly string[]> => (await readdir(folder)).filter((name) => name.startsWith("synth-"));

test("an assembly is synthesized once for the same sources and configuration", async () => {
  const first = await synth();
  expect(first.lines).toEqual(["Synthesizing the stack …"]);
  expect(await readFile(join(first.assembly, "manifest.json"), "utf8")).toBe(configuration);
  expect(await synth()).toEqual({ assembly: first.assembly, lines: [] });
  expect(await assemblies()).toHaveLength(1);
  await writeFile(configuration, "export default { teams: [] };\n");
  expect((await synth()).assembly).not.toBe(first.assembly);
  expect(await assemblies()).toHaveLength(2);
});

test("two starts at once get the same assembly, and nothing else is left", async () => {
  const [one, other] = await Promise.all([synth(), synth()]);
  expect(one.assembly).toBe(other.assembly);
  expect(await assemblies()).toHaveLength(1);
});

test("what the program wrote to stderr is in the error, and nothing of the assembly is left", async () => {
  const failing = synth('console.error("the pool gpu has no instance types"); process.exit(1);');
  await expect(failing).rejects.toMatchObject({
    code: "synth",
    message: "The stack could not be synthesized.\nthe pool gpu has no instance types",
  });
  expect(await assemblies()).toEqual([]);
});
