import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { localImportsOf, type Module, specifiersOf } from "./architecture/modules.ts";
import { cycles, folderCycles, layerOf, layers, wrongs } from "./architecture/rules.ts";
import { crowdedFolders, longFiles, splinters } from "./architecture/sizes.ts";
import { ambiguousTypes } from "./architecture/type-names.ts";

const root = join(import.meta.dirname, "..", "..");
const folders = ["cdk", "events", "functions", "lib"];

const modulesBelow = (folder: string): readonly Module[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file).replaceAll("\\", "/"))
    .map((path) => ({ path, source: readFileSync(join(root, path), "utf8") }));

const modules = folders.flatMap(modulesBelow);
const tests = modulesBelow("test");

/**
 * The number of splinters must only fall. Do not raise it for a new short file: put the code into the file that imports it, or
 * write a test of its own for it. Lower it if there is one splinter less.
 */
const maxSplinters = 7;

test("imports go one way, and modules use only the clock, the chance and the timers that are passed in", () => {
  expect(wrongs(modules)).toEqual([]);
});

test("no source file is too long", () => {
  expect(longFiles(modules)).toEqual([]);
});

test("no folder has too many source files", () => {
  expect(crowdedFolders(modules)).toEqual([]);
});

test("the number of splinters, short files that only one file imports and no test names, does not grow", () => {
  const found = splinters(modules, tests);
  expect(found.length, found.join("\n")).toBeLessThanOrEqual(maxSplinters);
});

test("no two files export types with the same name, because a name must stand for one thing", () => {
  expect(ambiguousTypes(modules)).toEqual([]);
});

describe("the modules that are checked", () => {
  test("every source file is checked as a module", () => {
    const onDisk = globSync("{cdk,events,functions,lib}/**/*.ts", { cwd: root }).map((path) => path.replaceAll("\\", "/"));
    expect(modules.map((module) => module.path).sort()).toEqual(onDisk.sort());
    expect(modules.length).toBeGreaterThan(80);
  });

  test.each(layers.map((layer) => layer.folder).filter((folder) => folder !== "lib/api"))("the layer %s has modules", (folder) => {
    expect(modules.filter((module) => layerOf(module.path)?.folder === folder)).not.toHaveLength(0);
  });

  test("every import statement of a module is found", () => {
    for (const module of modules) {
      const statements = module.source.match(/^(?:import|export|\}).*\bfrom "[^"]+";$|^import "[^"]+";$/gm) ?? [];
      expect(specifiersOf(module).length, module.path).toBeGreaterThanOrEqual(statements.length);
    }
    expect(modules.flatMap(localImportsOf).length).toBeGreaterThan(modules.length);
  });

  test("handlers are imported by no module, and flows by some", () => {
    const imported = new Set(modules.flatMap(localImportsOf));
    const roots = modules.map((module) => module.path).filter((path) => !imported.has(path));
    expect(roots).toContain("functions/place.ts");
    expect(roots).not.toContain("lib/flows/place.ts");
    expect(roots).not.toContain("lib/decide/decide.ts");
  });
});

describe("planted violations", () => {
  test.each([
    ["lib/model/x.ts", 'import { decide } from "../decide/decide.ts";', "lib/decide/decide.ts"],
    ["lib/model/x.ts", 'import * as z from "zod";', "zod"],
    ["lib/decide/x.ts", 'import type { Fleet } from "../ports/fleet.ts";', "lib/ports/fleet.ts"],
    ["lib/decide/x/y.ts", 'import {\n  type A,\n  place,\n} from "../../flows/place.ts";', "lib/flows/place.ts"],
    ["lib/ports/x.ts", 'export * from "../flows/pool/ring.ts";', "lib/flows/pool/ring.ts"],
    ["events/x.ts", 'import "../lib/aws/errors.ts";', "lib/aws/errors.ts"],
    ["lib/flows/x.ts", 'export { clients } from "../aws/clients.ts";', "lib/aws/clients.ts"],
    ["lib/flows/x.ts", 'const late = await import("../runtime/env.ts");', "lib/runtime/env.ts"],
    ["lib/flows/x.ts", 'type Late = import("../worker/attempt/agent.ts").Agent;', "lib/worker/attempt/agent.ts"],
    ["lib/aws/x.ts", 'import { decide } from "../decide/decide.ts";', "lib/decide/decide.ts"],
    ["lib/decide/x.ts", 'import { loadHighs } from "../solver/highs.ts";', "lib/solver/highs.ts"],
    ["lib/decide/x.ts", 'const late = await import("highs");', "highs"],
    ["lib/solver/x.ts", 'import { decide } from "../decide/decide.ts";', "lib/decide/decide.ts"],
    ["lib/worker/x.ts", 'import { clients } from "../aws/clients.ts";', "lib/aws/clients.ts"],
    ["lib/cli/x.ts", 'import { bodyHash } from "../flows/job/body-hash.ts";', "lib/flows/job/body-hash.ts"],
    ["lib/local/x.ts", 'import { ring } from "../flows/pool/ring.ts";', "lib/flows/pool/ring.ts"],
    ["lib/runtime/x.ts", 'import { SQSClient } from "@aws-sdk/client-sqs";', "@aws-sdk/client-sqs"],
    ["lib/sim/x.ts", 'import { errors } from "../aws/errors.ts";', "lib/aws/errors.ts"],
    ["lib/runtime/x.ts", 'import { MemoryTable } from "../sim/memory/table.ts";', "lib/sim/memory/table.ts"],
    ["lib/local/x.ts", 'import { MemoryTable } from "../sim/memory/table.ts";', "lib/sim/memory/table.ts"],
    ["functions/x.ts", 'import { errors } from "../lib/aws/errors.ts";', "lib/aws/errors.ts"],
    ["cdk/x.ts", 'import { agent } from "../lib/worker/attempt/agent.ts";', "lib/worker/attempt/agent.ts"],
  ])("a forbidden import in %s is found: %s", (path, source, imported) => {
    expect(wrongs([...modules, { path, source }])).toContain(`${path} imports ${imported}`);
  });

  test.each([
    ["lib/flows/x.ts", "const at = Date.now();", "lib/flows/x.ts reaches for the clock"],
    ["lib/decide/x.ts", "const at = new Date();", "lib/decide/x.ts reaches for the clock"],
    ["lib/decide/x.ts", "const at = Math.random();", "lib/decide/x.ts reaches for chance"],
    ["lib/flows/x.ts", "setTimeout(run, 5);", "lib/flows/x.ts reaches for timers"],
    ["lib/aws/x.ts", 'const home = process.env["HOME"];', "lib/aws/x.ts reads process.env"],
    ["lib/sim/x.ts", "const at = Math.random();", "lib/sim/x.ts reaches for chance"],
    [
      "lib/flows/x.ts",
      "try { act(); } catch (error) { log({ error: String(error) }); }",
      "lib/flows/x.ts makes a text of an error: String(error)",
    ],
    ["lib/aws/x.ts", "try { act(); } catch (cause) { log(cause.message); }", "lib/aws/x.ts makes a text of an error: cause.message"],
    ["lib/model/x.ts", "export default 1;", "lib/model/x.ts has a default export"],
    ["lib/elsewhere/x.ts", "", "lib/elsewhere/x.ts belongs to no layer"],
    ["lib/model/x.ts", 'import { a } from "./nowhere.ts";', "lib/model/x.ts imports lib/model/nowhere.ts, which does not exist"],
  ])("a broken rule in %s is found: %s", (path, source, wrong) => {
    expect(wrongs([...modules, { path, source }])).toContain(wrong);
  });

  test("a type with a name that another file exports is found", () => {
    const [market, again] = ["export type Market = 1;", "export const Market = 2;\nexport interface Market {}"];
    expect(
      ambiguousTypes([
        { path: "lib/model/a.ts", source: `${market}\ntype Local = 1;` },
        { path: "lib/ports/b.ts", source: `${again}\n/** export type Other = 1; */\ntype Local = 1;` },
      ]),
    ).toEqual(["Market: lib/model/a.ts, lib/ports/b.ts"]);
  });

  test("a cycle of imports between files is found", () => {
    const ring = [
      { path: "lib/model/a.ts", source: 'import { b } from "./b.ts";' },
      { path: "lib/model/b.ts", source: 'import type { c } from "./c.ts";' },
      { path: "lib/model/c.ts", source: 'export { a } from "./a.ts";' },
    ];
    expect(cycles(ring)).toEqual(["lib/model/a.ts → lib/model/b.ts → lib/model/c.ts → lib/model/a.ts"]);
  });

  test("an import in a comment is not found", () => {
    expect(wrongs([...modules, { path: "lib/model/x.ts", source: '// import { a } from "../flows/a.ts"; Date.now()' }])).toEqual(
      wrongs(modules),
    );
  });

  test("a cycle between folders is found even if one of them lies in another and no files form a cycle", () => {
    const planted = [
      { path: "lib/decide/a/entry.ts", source: 'import { b } from "../b/b.ts";' },
      { path: "lib/decide/b/b.ts", source: 'import type { c } from "../c.ts";' },
      { path: "lib/decide/c.ts", source: 'import { end } from "./a/end.ts";' },
      { path: "lib/decide/a/end.ts", source: "export const end = 1;" },
    ];
    const cycle = "lib/decide/a → lib/decide/b → lib/decide → lib/decide/a";
    expect(cycles(planted)).toEqual([]);
    expect(folderCycles(planted)).toEqual([cycle]);
    expect(wrongs(planted)).toContain(`import cycle of folders: ${cycle}`);
  });

  test("files of one folder that import each other form no cycle between folders", () => {
    expect(folderCycles([{ path: "lib/decide/a.ts", source: 'import { b } from "./b.ts";' }])).toEqual([]);
  });

  test("a file of 301 lines is too long, and one of 300 lines is not", () => {
    const ofLines = (lines: number) => ({ path: `lib/decide/x${lines}.ts`, source: "\n".repeat(lines) });
    expect(longFiles([ofLines(300), ofLines(301)])).toEqual(["lib/decide/x301.ts has 301 lines; at most 300 are allowed"]);
  });

  test("a folder with 21 files has too many, and files in its subfolders do not count", () => {
    const files = (folder: string, count: number) => Array.from({ length: count }, (_, n) => ({ path: `${folder}/x${n}.ts`, source: "" }));
    expect(crowdedFolders([...files("lib/decide", 20), ...files("lib/decide/limits", 20)])).toEqual([]);
    expect(crowdedFolders(files("lib/decide", 21))).toEqual(["lib/decide has 21 files; at most 20 are allowed"]);
  });

  describe("a short file with one importer", () => {
    const importing = (path: string, imported: string) => ({ path, source: `import { x } from "${imported}";` });
    const short = { path: "lib/decide/x.ts", source: "export const x = 1;\n" };
    const importer = importing("lib/decide/limits/y.ts", "../x.ts");

    test("a short file with one importer and no test is a splinter", () => {
      expect(splinters([short, importer], [])).toEqual([short.path]);
    });

    test.each([
      ["it has 40 lines", [{ ...short, source: "\n".repeat(40) }, importer], []],
      ["another file imports it too", [short, importer, importing("lib/decide/z.ts", "./x.ts")], []],
      ["nothing imports it", [short], []],
      ["a test imports it", [short, importer], [importing("test/unit/decide/x.test.ts", "../../../lib/decide/x.ts")]],
      ["a test names it without importing it", [short, importer], [{ path: "test/x.test.ts", source: 'fork("../lib/decide/x.ts");' }]],
      ["it belongs to a family of files", [{ ...short, path: "cdk/handlers/x.ts" }, importing("cdk/stack.ts", "./handlers/x.ts")], []],
    ])("a short file is no splinter if %s", (_why, files, tested) => {
      expect(splinters(files, tested)).toEqual([]);
    });
  });
});
