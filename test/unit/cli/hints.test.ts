import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withoutComments } from "../architecture/modules.ts";

const root = join(import.meta.dirname, "../../..");
const names = [
  ...new Set(globSync("lib/cli/program/*.ts", { cwd: root }).flatMap((file) => namesIn(readFileSync(join(root, file), "utf8")))),
];

/** Returns the names of the commands that a file of the program defines. */
function namesIn(source: string): string[] {
  return [...source.matchAll(/\.command\("([a-z-]+)"\)/g)].map(([, name = ""]) => name);
}

/** Returns whether a file contains help, which is written with `fleet` and rewritten when it is printed (`asCalled`). */
const isHelp = (file: string): boolean => file.startsWith("lib/cli/program/") || file === "lib/cli/main.ts";

/** Returns the lines that name a command to paste without `commandLine`. */
function bypassesIn(file: string, source: string): string[] {
  const hint = new RegExp(`[:"'\`(] ?(?:npm run -s )?fleet (?:-- )?(?:${names.join("|")})(?![a-z'])`);
  const lines = withoutComments(source).split("\n");
  return lines.flatMap((line) => (hint.test(line) || /npm run -s (?:chaos|fleet --)/.test(line) ? [`${file}: ${line.trim()}`] : []));
}

const allowed = [
  // An installed command, which npm does not run, prints these hints about a checkout.
  "lib/cli/invocation/checkout.ts",
  "lib/cli/invocation/invocation.ts",
  // This line is in a job's log, which is read on other machines than the one that writes it.
  "lib/worker/logs/attempt-log.ts",
];

it("every hint that names a command uses commandLine, so that it can be pasted", () => {
  expect(names.length).toBeGreaterThan(20);
  const files = globSync("{lib,events,functions}/**/*.ts", { cwd: root }).filter((file) => !isHelp(file) && !allowed.includes(file));
  expect(files.length).toBeGreaterThan(200);
  expect(files.flatMap((file) => bypassesIn(file, readFileSync(join(root, file), "utf8")))).toEqual([]);
});

it.each([
  ["`no job x; list them with: fleet jobs --team research`"],
  ['"fleet logs x -f"'],
  ["`again: npm run -s fleet -- chaos --runs 1`"],
  ["`start again (fleet pool reset-stats gpu)`"],
])("the check of hints finds one that does not use commandLine: %s", (text) => {
  expect(bypassesIn("lib/cli/x.ts", `const hint = ${text};`)).toHaveLength(1);
});

it("the check of hints ignores a text that only mentions the fleet", () => {
  expect(bypassesIn("lib/cli/x.ts", '"no fleet of these types is enough"; `the fleet plans again`; "a fleet command"')).toEqual([]);
});
