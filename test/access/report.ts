/**
 * Least privilege by evidence. `npm run access` judges what local clouds recorded in the folders of their runs again without each statement in
 * turn, and lists the statements, and the actions of others, that none of the questions needs. Ends with 1 if one of them has no reason to
 * exist (`explained.ts`). Arguments: folders that contain runs; by default those of this checkout's runs and tests.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cloudFolder } from "../../lib/cli/invocation/folders.ts";
import { type AccessLine, accessFile, type KeptPolicies, policiesFile } from "../../lib/local/access/access-log.ts";
import { emptyPolicyFacts, resourcePolicy } from "../../lib/local/access/policies.ts";
import { account } from "../../lib/local/provision/world.ts";
import { explained, shortName } from "./explained.ts";
import { unneeded } from "./needed.ts";

type Run = { readonly lines: readonly AccessLine[]; readonly policies: KeptPolicies };

const runsIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(() => [])).map((name) => join(folder, name));

async function readRun(folder: string): Promise<Run | undefined> {
  try {
    const [text, kept] = await Promise.all([readFile(join(folder, accessFile), "utf8"), readFile(join(folder, policiesFile), "utf8")]);
    const lines = text.split("\n").flatMap((line) => (line === "" ? [] : (JSON.parse(line) as AccessLine)));
    return { lines, policies: JSON.parse(kept) as KeptPolicies };
  } catch {
    // A cloud that did not start has no policies.
    return undefined;
  }
}

/** Teams have the same rights, so it is enough if one of them needs a right. The first two are those of the local configuration. */
const teams = ["research", "vision"];

/** Returns what a run does not need: statements by their short names, and actions as `NAME action`. A right that one team needs is needed. */
function unneededIn({ lines, policies }: Run): ReadonlySet<string> {
  const facts = { ...emptyPolicyFacts(), resource: new Map(Object.entries(policies.resource)) };
  for (const [name, trust] of Object.entries(policies.trust)) facts.roles.set(name, { name, trust, maxSeconds: 3600 });
  const found = unneeded(lines, policies, (question) => resourcePolicy(facts, question, account));
  const statements = [policies.identity, policies.resource, policies.trust].flatMap((each) => Object.values(each).flat());
  const allowing = statements.filter(({ Effect }) => Effect === "Allow");
  const byName = Map.groupBy(allowing, (each) => shortName(each, teams));
  const rights = [...byName].flatMap(([short, same]) =>
    [...new Set(same.flatMap(({ Action }) => Action))].map((action) => ({ short, action, names: new Set(same.map(({ name }) => name)) })),
  );
  const isUnneeded = (name: string, action: string): boolean =>
    found.some((each) => each.statement === name && (each.actions?.includes(action) ?? true));
  return new Set(
    rights.flatMap(({ short, action, names }) => ([...names].every((name) => isUnneeded(name, action)) ? [`${short} ${action}`] : [])),
  );
}

const given = process.argv.slice(2);
const folders = (
  await Promise.all((given.length > 0 ? given : ["runs", "access"].map((each) => join(cloudFolder, each))).map(runsIn))
).flat();
const runs = (await Promise.all(folders.map(readRun))).filter((run) => run !== undefined);
if (runs.length === 0) {
  console.error("No local cloud has recorded anything here. Run npm start or the tests first.");
  process.exit(2);
}
const [first = new Set<string>(), ...others] = runs.map(unneededIn);
const rights = [...first].filter((right) => others.every((set) => set.has(right))).sort();
const lines = rights.map((right) => {
  const [name = "", action] = right.split(/ (?=[a-z0-9]+:)/);
  return { right, why: explained(name, action) };
});
const questions = runs.reduce((sum, run) => sum + run.lines.length, 0);
console.log(`${questions} questions of ${runs.length} runs were judged again without each statement. No question needs these rights:`);
for (const { right, why } of lines) console.log(`  ${right}${why === undefined ? "" : ` (${why})`}`);
const open = lines.filter(({ why }) => why === undefined).length;
console.log(open === 0 ? "Every right is needed or explained." : `Neither needed nor explained in test/access/explained.ts: ${open}.`);
process.exitCode = open === 0 ? 0 : 1;
