/** `npm run mutate -- AREA`: measures how many small bugs the tests of an area notice. `--help` explains it. */
import { setPriority } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Area, areas, isArea } from "./areas.ts";
import { Compiler } from "./compiler.ts";
import { draw } from "./draw.ts";
import { equivalents } from "./equivalents.ts";
import { isThe, type Mutant, mutantOf } from "./mutant.ts";
import { mutationsOf } from "./operators.ts";
import { Processes } from "./processes.ts";
import { reach } from "./reach.ts";
import { lineOf, type Result, summaryOf } from "./report.ts";
import { Sandbox } from "./sandbox.ts";
import { Trials } from "./trial.ts";

const help = `npm run mutate -- AREA [options]

Plants small bugs (mutants) in an area, one at a time, and runs the tests that reach the changed file. A mutant that
no test notices shows a gap in the tests, or code that has no effect.

AREA: ${Object.keys(areas).join(", ")}

  --seed N       draws other mutants; the same seed on the same source draws the same ones (default 1)
  --count N      mutants to test, without those that are refused (default 20)
  --file PATH    only mutants of this file, for example lib/decide/decide.ts
  --timeout S    seconds after which tests count as endless (default 600)
  --help         shows this text

It works in a temporary copy of the checkout, with low priority, and removes the copy at the end and on Ctrl-C. The tests
of a mutant stop at the first failure. The nearest tests run first, those with emulators last; e2e tests run only
for the local cloud.

  killed      a test failed
  timed out   the tests did not end, which counts as killed
  survived    no test failed: write one, or show that the mutant is equivalent
  refused     the compiler or the check of promises rejects it; it does not count

If a survivor cannot be noticed by any test, add it to test/mutate/equivalents.ts with the reason. The score leaves these
out. 20 mutants take 10 to 40 minutes, so this is no part of the checks.`;

const root = join(import.meta.dirname, "..", "..");

type Options = {
  readonly area: Area;
  readonly seed: number;
  readonly count: number;
  readonly file: string | undefined;
  readonly timeoutMs: number;
};

function optionsOf(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "20" },
      timeout: { type: "string", default: "600" },
      file: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const [area] = positionals;
  const [seed, count, seconds] = [values.seed, values.count, values.timeout].map(Number);
  const areNumbers = [seed, count, seconds].every((each) => each !== undefined && Number.isInteger(each) && each >= 0);
  const isValid = !values.help && isArea(area) && areNumbers;
  if (!isValid) {
    console.log(help);
    process.exitCode = values.help ? 0 : 2;
    return undefined;
  }
  return { area, seed: seed ?? 1, count: count ?? 20, file: values.file, timeoutMs: (seconds ?? 600) * 1_000 };
}

async function measure(
  { area, seed, count, file, timeoutMs }: Options,
  sandbox: Sandbox,
  processes: Processes,
): Promise<readonly Result[]> {
  const modules = sandbox.files.filter((path) => path.endsWith(".ts")).map((path) => ({ path, source: sandbox.read(path) }));
  const inArea = modules.filter(({ path }) => areas[area].some((folder) => path.startsWith(`${folder}/`)) && (file ?? path) === path);
  const compiler = new Compiler(sandbox.folder);
  const trials = new Trials({ sandbox, processes, compiler, reach: reach(modules), timeoutMs });
  const mutants = inArea.flatMap((each) => mutationsOf(each.source).map((mutation) => mutantOf(each, mutation)));
  console.log(`${area}, seed ${seed}: ${mutants.length} mutants are possible in ${inArea.length} files`);
  for (const stale of equivalents.filter(
    (each) => inArea.some(({ path }) => path === each.path) && !mutants.some((mutant) => isThe(each, mutant)),
  ))
    console.log(`stale       test/mutate/equivalents.ts names a mutant of ${stale.path} that no longer exists: ${stale.was.trim()}`);

  const results: Result[] = [];
  const drawn = draw(inArea, seed);
  let feedback: "refused" | undefined;
  while (results.filter(({ verdict }) => verdict.kind !== "refused").length < count) {
    const next = drawn.next(feedback);
    if (next.done) break;
    const result = await resultOf(trials, next.value);
    feedback = result.verdict.kind === "refused" ? "refused" : undefined;
    results.push(result);
    for (const line of lineOf(result)) console.log(line);
  }
  compiler.close();
  await confirm(trials, results);
  return results;
}

async function resultOf(trials: Trials, mutant: Mutant): Promise<Result> {
  const startedMs = performance.now();
  const known = equivalents.find((each) => isThe(each, mutant));
  const verdict = known ? ({ kind: "equivalent", because: known.because } as const) : await trials.try(mutant);
  return { mutant, verdict, seconds: (performance.now() - startedMs) / 1_000 };
}

/** Runs the tests that noticed mutants once more without any. A test that fails even then has noticed nothing. */
async function confirm(trials: Trials, results: readonly Result[]): Promise<void> {
  const files = [...new Set(results.flatMap(({ verdict }) => (verdict.kind === "killed" ? [verdict.file] : [])))].sort();
  const failed = await trials.fails(files);
  if (failed === undefined) return;
  console.log(
    failed === "timed-out"
      ? "doubtful    the tests do not end even without a mutant"
      : `doubtful    ${failed.file} fails without a mutant: ${failed.name}`,
  );
  process.exitCode = 1;
}

const options = optionsOf();
if (options) {
  setPriority(19);
  const processes = new Processes();
  const sandbox = new Sandbox(root);
  const leave = (): never => {
    processes.end();
    sandbox.remove();
    process.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, leave);
  try {
    for (const line of summaryOf(await measure(options, sandbox, processes))) console.log(line);
  } finally {
    processes.end();
    sandbox.remove();
  }
}
