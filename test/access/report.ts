/**
 * Least privilege by evidence: `npm run access -- [FOLDER…]` judges what local clouds recorded in the folders of their runs again without
 * each statement in turn, and lists the statements, and the actions of others, that none of the questions needs.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AccessLine, accessFile, type KeptPolicies, policiesFile } from "../../lib/local/access/access-log.ts";
import { emptyPolicyFacts, resourcePolicy } from "../../lib/local/access/policies.ts";
import { explained } from "./explained.ts";
import { unneeded } from "./needed.ts";

/** Names of resources differ between runs of one stack only in what the emulators choose, such as the ids of keys. */
async function runsIn(folders: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder);
      return names.includes(accessFile) ? [folder] : names.sort().map((name) => join(folder, name));
    }),
  );
  return found.flat();
}

async function readRun(folder: string): Promise<{ lines: readonly AccessLine[]; policies: KeptPolicies } | undefined> {
  try {
    const [text, kept] = await Promise.all([readFile(join(folder, accessFile), "utf8"), readFile(join(folder, policiesFile), "utf8")]);
    const lines = text.split("\n").flatMap((line) => (line === "" ? [] : (JSON.parse(line) as AccessLine)));
    return { lines, policies: JSON.parse(kept) as KeptPolicies };
  } catch {
    // A cloud that did not start has no policies.
    return undefined;
  }
}

const given = process.argv.slice(2);
const folders = await runsIn(given.length > 0 ? given : [join(".fleetwright", "runs")]);
const runs = (await Promise.all(folders.map(readRun))).filter((run) => run !== undefined);
if (runs.length === 0) {
  console.error("No run of a local cloud has recorded anything here. Run `npm start` or the end-to-end tests first.");
  process.exit(2);
}

const perRun = runs.map(({ lines, policies }) => {
  const facts = { ...emptyPolicyFacts(), resource: new Map(Object.entries(policies.resource)) };
  for (const [name, trust] of Object.entries(policies.trust)) facts.roles.set(name, { name, trust, maxSeconds: 3600 });
  return unneeded(lines, policies, (question) => resourcePolicy(facts, question));
});
/** A statement, or an action of it, is unneeded if no run needs it. */
const key = (statement: string, action?: string): string => (action === undefined ? statement : `${statement}: ${action}`);
const keysOf = (all: (typeof perRun)[number]): Set<string> =>
  new Set(all.flatMap(({ statement, actions }) => (actions ? actions.map((action) => key(statement, action)) : [key(statement)])));
const sets = perRun.map(keysOf);
const wholly = (name: string): string => name.split(": ")[0] ?? name;
const everywhere = [...new Set(sets.flatMap((set) => [...set]))].filter((each) =>
  sets.every((set) => set.has(each) || set.has(wholly(each))),
);
const questions = runs.reduce((sum, { lines }) => sum + lines.length, 0);
console.log(`${questions} questions of ${runs.length} runs, judged again without each statement:`);
const open = everywhere.filter((each) => explained(each) === undefined);
for (const each of everywhere.sort()) console.log(`  ${each}${explained(each) === undefined ? "" : ` (${explained(each)})`}`);
console.log(open.length === 0 ? "every statement is needed or explained" : `${open.length} are neither needed nor explained`);
process.exitCode = open.length === 0 ? 0 : 1;
