import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Compiler } from "./compiler.ts";
import type { Mutant } from "./mutant.ts";
import { mutated } from "./operators.ts";
import type { Processes } from "./processes.ts";
import type { Reach } from "./reach.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * `killed`: a test failed. `timed-out`: the tests did not end. `refused`: the compiler or the check of promises rejects the mutant, so no one
 * could commit it.
 */
export type Verdict =
  | { readonly kind: "killed"; readonly by: string; readonly file: string }
  | { readonly kind: "survived" | "timed-out" | "refused" };

/** The tests that are run first, because the nearest ones notice most mutants. */
const nearest = 6;

/** The rules of `npm run check:promises` that a dropped `await` may break. */
const promises = ["-D", "typescript/no-floating-promises", "-D", "typescript/no-misused-promises"] as const;

const races = "test/contract/storms/races-dynamodb.test.ts";
const wholeCloud = "test/e2e/cloud.test.ts";

type Failure = { readonly file: string; readonly name: string };

/** Tries mutants, one after another. */
export class Trials {
  readonly #sandbox: Sandbox;
  readonly #processes: Processes;
  readonly #compiler: Compiler;
  readonly #reach: Reach;
  readonly #timeoutMs: number;

  constructor(of: { sandbox: Sandbox; processes: Processes; compiler: Compiler; reach: Reach; timeoutMs: number }) {
    this.#sandbox = of.sandbox;
    this.#processes = of.processes;
    this.#compiler = of.compiler;
    this.#reach = of.reach;
    this.#timeoutMs = of.timeoutMs;
  }

  async try(mutant: Mutant): Promise<Verdict> {
    const source = this.#sandbox.read(mutant.path);
    this.#sandbox.write(mutant.path, mutated(source, mutant));
    try {
      return (await this.#passesChecks(mutant)) ? await this.#tested(mutant) : { kind: "refused" };
    } finally {
      this.#sandbox.write(mutant.path, source);
    }
  }

  /** Returns whether the mutant passes the static checks that concern it. Without an `await`, a promise that is not used may float. */
  async #passesChecks({ path, operator }: Mutant): Promise<boolean> {
    if (!this.#compiler.accepts(path, this.#reach.importersOf(path))) return false;
    if (operator !== "drop-await") return true;
    const command = ["node_modules/.bin/oxlint", "--type-aware", "-A", "all", ...promises, path] as const;
    const ended = await this.#processes.run(command, { cwd: this.#sandbox.folder, timeoutMs: this.#timeoutMs });
    return ended.kind === "ended" && ended.code === 0;
  }

  /**
   * Runs the tests that reach the mutant: a few of the nearest ones first, those that need the emulators only if they are the nearest,
   * and last the races on the table, which `npm test` leaves to the storms, or, of a mutant of the local cloud, the tests of a whole one.
   */
  async #tested({ path }: Mutant): Promise<Verdict> {
    const reaching = this.#reach.testsOf(path);
    const tests = reaching.filter((test) => !/^test\/(?:e2e|first-hour|contract\/storms)\//.test(test));
    const withEmulators = tests.filter((test) => test.startsWith("test/contract/"));
    const without = tests.filter((test) => !test.startsWith("test/contract/"));
    const stages = [without.slice(0, nearest), without.slice(nearest)];
    const everyday = tests[0] === withEmulators[0] ? [withEmulators, ...stages] : [...stages, withEmulators];
    const stormy = reaching.filter((test) => test === races);
    const whole = path.startsWith("lib/local/") ? [wholeCloud] : [];
    for (const files of [...everyday, whole, stormy]) {
      const found = await this.fails(files, files === stormy ? ["--mode", "storms"] : []);
      if (found === "timed-out") return { kind: "timed-out" };
      if (found) return { kind: "killed", by: found.name, file: found.file };
    }
    return { kind: "survived" };
  }

  /** Runs test files. Returns the first test that fails, or undefined if all pass. */
  async fails(files: readonly string[], options: readonly string[] = []): Promise<Failure | "timed-out" | undefined> {
    if (files.length === 0) return undefined;
    const report = join(this.#sandbox.folder, "tests.json");
    rmSync(report, { force: true });
    const vitest = [process.execPath, "node_modules/vitest/vitest.mjs", "run", "--bail", "1", "--maxWorkers", "2"] as const;
    const command = [...vitest, "--reporter", "json", "--outputFile", report, ...options, ...files] as const;
    const ended = await this.#processes.run([...command], { cwd: this.#sandbox.folder, timeoutMs: this.#timeoutMs });
    if (ended.kind === "timed-out") return "timed-out";
    if (ended.code === 0) return undefined;
    return failureIn(report, this.#sandbox.folder) ?? { file: files[0] ?? "", name: `the run failed:\n${ended.output.slice(-2_000)}` };
  }
}

type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
};

function failureIn(report: string, folder: string): Failure | undefined {
  if (!existsSync(report)) return undefined;
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
  const failed = testResults
    .filter(({ status }) => status === "failed")
    .map(({ name, assertionResults }) => {
      const test = assertionResults.find((each) => each.status === "failed");
      return { file: name.replace(`${folder}/`, ""), name: test?.fullName.trim() };
    });
  // A file without a failed test could not be loaded, or was given up after the failure of another one.
  const first = failed.find(({ name }) => name !== undefined) ?? failed[0];
  return first && { file: first.file, name: first.name ?? "the file cannot be loaded" };
}
