/**
 * `node test/first-hour/readme.ts` follows README: in a fresh clone of this checkout, in a folder whose name has a space, it installs,
 * starts the local cloud, and runs README's blocks in order in one shell. It leaves `npm ci && npm start` and `npm ci && npm test` to
 * .ci/run, and omits the one block that needs an AWS account. Exits with 1 unless all other blocks worked.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { type Block, blocksOf, kindOf, wrongsOf } from "./blocks.ts";
import { newcomer } from "./newcomer.ts";
import { type At, must, startCloud } from "./run.ts";
import { runBlocks } from "./shell.ts";

const root = join(import.meta.dirname, "..", "..");
const usual = "127.0.0.1:4566";
const Jobs = z.object({ jobs: z.array(z.object({ id: z.string(), state: z.string(), reason: z.string().nullable() })) });

const home = await mkdtemp(join(tmpdir(), "fleetwright first hour "));
const clone = join(home, "my clone");
// pip writes scripts that cannot run from a folder whose name has a space.
const clients = await mkdtemp(join(tmpdir(), "fleetwright-clients-"));
const prefix = join(home, "prefix");
const plain = newcomer(home);
const at: At = {
  cwd: clone,
  // `npm install --global` installs into a folder on the PATH; the AWS CLI and boto3 are in a virtual environment.
  env: { ...plain, npm_config_prefix: prefix, PATH: `${join(clients, "bin")}:${join(prefix, "bin")}:${plain["PATH"]}` },
};

async function installed(): Promise<void> {
  await must("git", ["clone", "--quiet", root, clone], { cwd: root, env: plain });
  await Promise.all([
    must("npm", ["ci", "--prefer-offline"], { ...at, withinMs: 300_000 }),
    must("python3", ["-m", "venv", clients], at).then(() =>
      must(join(clients, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", "awscli", "boto3"], {
        ...at,
        withinMs: 300_000,
      }),
    ),
  ]);
}

/** Returns a block's text for the shell. Changes only the port, if another process has it, which README allows. */
async function commandsOf(block: Block, endpoint: string): Promise<string> {
  const text = block.text.replaceAll(usual, new URL(endpoint).host);
  if (kindOf(block) !== "python") return text;
  const file = join(home, `line-${block.line}.py`);
  await writeFile(file, text);
  return `python3 '${file}'`;
}

/** Checks that every job of the blocks succeeds, because a client's output says only that the queue accepted it. */
async function wrongJobs(): Promise<string[]> {
  for (const deadline = performance.now() + 60_000; ; await pause(1_000)) {
    const { out } = await must("npm", ["run", "-s", "fleet", "--", "jobs", "--team", "research", "--json"], at);
    const { jobs } = Jobs.parse(JSON.parse(out));
    const wrong = jobs.filter(({ state }) => state !== "succeeded");
    if (wrong.length === 0 && jobs.length >= 3) return [];
    if (performance.now() > deadline) return [`of ${jobs.length} jobs these did not succeed: ${JSON.stringify(wrong)}`];
  }
}

let stop = async (): Promise<void> => undefined;
const wrongs: string[] = [];
try {
  const startedMs = performance.now();
  await installed();
  console.log(`installed in ${Math.round((performance.now() - startedMs) / 1_000)} s`);
  const blocks = blocksOf(await readFile(join(clone, "README.md"), "utf8"));
  wrongs.push(...wrongsOf(blocks));
  const [cloudBlock] = blocks.filter((block) => kindOf(block) === "cloud");
  const cloud = await startCloud(cloudBlock?.text ?? "false", at);
  stop = cloud.stop;
  if (!cloud.endpoint.endsWith(usual)) console.log(`port 4566 is taken; ${cloud.endpoint} stands for it`);
  const tried = blocks.filter((block) => ["sh", "python"].includes(kindOf(block)));
  const commands = await Promise.all(tried.map((block) => commandsOf(block, cloud.endpoint)));
  const outcomes = await runBlocks(commands, { ...at, folder: join(home, "blocks"), withinMs: 120_000 });
  for (const [index, { ok, output, seconds }] of outcomes.entries()) {
    const what = `README line ${tried[index]?.line}: ${tried[index]?.text.split("\n")[0]} …`;
    console.log(`${ok ? "ok    " : "FAILED"} ${what} (${seconds} s)${ok ? "" : `\n${output}`}`);
    if (!ok) wrongs.push(what);
  }
  if (wrongs.length === 0) wrongs.push(...(await wrongJobs()));
} catch (error) {
  wrongs.push(error instanceof Error ? error.message : String(error));
} finally {
  await stop();
  for (const folder of [home, clients]) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
for (const wrong of wrongs) console.log(`FAIL ${wrong}`);
console.log(wrongs.length === 0 ? "README works" : "README does not work");
process.exitCode = wrongs.length === 0 ? 0 : 1;
