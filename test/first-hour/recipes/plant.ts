import { execFile } from "node:child_process";
import { cpSync, existsSync, globSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";

/** Adds text to a file before an anchor, which must occur exactly once. Without an anchor, it creates the file. */
type Edit = { readonly file: string; readonly before?: string; readonly add: string };

/** A check that fails without a step: the compiler about a file, a unit test by its name, or the check of the generated files. */
export type Check =
  | { readonly by: "compiler"; readonly about: string }
  | { readonly by: "test"; readonly file: string; readonly name: string }
  | { readonly by: "generated" };

/** A step of a recipe of CONTRIBUTING.md, taken for a dummy. */
export type Step = {
  readonly recipe: string;
  /** Its number in the recipe. */
  readonly item: number;
  readonly what: string;
  readonly edits: readonly Edit[];
  /** For a step that is a part of another one's edits: that step, and its edits without this part. */
  readonly omitted?: { readonly step: string; readonly edits: readonly Edit[] };
  /** Undefined if no check can demand it, such as a test of behaviour. */
  readonly demandedBy?: Check;
};

/** The outcome of the checks in one copy of the sources. */
export type Outcome = {
  /** The files with errors. */
  readonly compiler: readonly string[];
  /** The names of the tests that failed. */
  readonly tests: readonly string[];
  /** The number of tests that ran. */
  readonly ran: number;
  /** What the check of the generated files reports; empty if they are current. */
  readonly generated: string;
};

const root = join(import.meta.dirname, "..", "..", "..");
const copied = ["events", "lib", "docs/jobs.md", "package.json", "test/fakes", "test/property", "test/unit"];

/**
 * Copies of the sources below a temporary folder, each with edits of its own. The checks run once over all of them, because most of their
 * time is spent on starting.
 */
export class Copies {
  readonly #folder = mkdtempSync(join(tmpdir(), "fleetwright-recipes-"));
  readonly #original = join(this.#folder, "original");
  readonly #files: readonly string[];
  readonly #compile: string[] = [];
  readonly #test: string[] = [];
  readonly #generated: string[] = [];

  constructor() {
    symlinkSync(join(root, "node_modules"), join(this.#folder, "node_modules"));
    writeFileSync(join(this.#folder, "package.json"), '{ "type": "module" }');
    for (const path of copied) cpSync(join(root, path), join(this.#original, path), { recursive: true });
    this.#files = globSync("**/*.*", { cwd: this.#original });
  }

  /** Makes a copy with these edits, and selects the files that the compiler and the test runner should check in it. */
  add(name: string, edits: readonly Edit[], checks: readonly Check[]): void {
    for (const path of new Set(this.#files.map((file) => dirname(file)))) mkdirSync(join(this.#folder, name, path), { recursive: true });
    for (const file of this.#files) linkSync(join(this.#original, file), join(this.#folder, name, file));
    for (const edit of edits) this.#edit(name, edit);
    for (const check of checks) {
      if (check.by === "compiler") this.#compile.push(join(name, check.about));
      if (check.by === "test") this.#test.push(join(name, check.file));
      if (check.by === "generated") this.#generated.push(name);
    }
  }

  /** Writes the generated files of a copy, as `npm run generate` does. */
  async generate(name: string): Promise<void> {
    for (const file of ["events/job.schema.json", "docs/jobs.md"]) this.#unlink(join(this.#folder, name, file));
    await this.#run(name, "events/schema/generate.ts");
  }

  /** Runs the checks over all copies. Returns a function that returns the outcome in a copy. */
  async check(): Promise<(name: string) => Outcome> {
    const [errors, results, ...stale] = await Promise.all([
      this.#compiled(),
      this.#tested(),
      ...this.#generated.map((name) => this.#run(name, "events/schema/generate.ts", "--check")),
    ]);
    return (name) => {
      const inCopy = (path: string): boolean => path.startsWith(`${name}/`);
      const its = results.filter(({ file }) => inCopy(file));
      return {
        compiler: [...new Set(errors.filter(inCopy).map((path) => path.slice(name.length + 1)))],
        tests: its.filter(({ passed }) => !passed).map((test) => test.name),
        ran: its.length,
        generated: stale[this.#generated.indexOf(name)] ?? "",
      };
    };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #edit(name: string, { file, before, add }: Edit): void {
    const path = join(this.#folder, name, file);
    if (before === undefined) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, add);
      return;
    }
    const parts = readFileSync(path, "utf8").split(before);
    if (parts.length !== 2) throw new Error(`${file} must contain this once, not ${parts.length - 1} times: ${before}`);
    this.#unlink(path);
    writeFileSync(path, `${parts[0]}${add}${before}${parts[1]}`);
  }

  /** Makes a file the copy's own: until then it is a link to the same file as in every other copy. */
  #unlink(path: string): void {
    const text = readFileSync(path);
    rmSync(path);
    writeFileSync(path, text);
  }

  /** Returns the files with errors. */
  async #compiled(): Promise<string[]> {
    const config = { extends: join(root, "tsconfig.json"), include: [], files: [...new Set(this.#compile)] };
    writeFileSync(join(this.#folder, "tsconfig.json"), JSON.stringify(config));
    const { out } = await run(this.#folder, join(root, "node_modules", ".bin", "tsc"), ["-p", ".", "--pretty", "false"]);
    return [...out.matchAll(/^([^\s(]+)\(\d+,\d+\): error /gm)].map(([, path = ""]) => path);
  }

  async #tested(): Promise<{ readonly file: string; readonly name: string; readonly passed: boolean }[]> {
    const config = { test: { isolate: false, maxWorkers: 1, include: [...new Set(this.#test)], setupFiles: [] } };
    writeFileSync(join(this.#folder, "vitest.config.js"), `export default ${JSON.stringify(config)};`);
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const { err } = await run(this.#folder, process.execPath, [vitest, "run", "--reporter=json", "--outputFile=results.json"]);
    if (!existsSync(join(this.#folder, "results.json"))) throw new Error(`the tests of the copies did not run: ${err}`);
    const { testResults } = Results.parse(JSON.parse(readFileSync(join(this.#folder, "results.json"), "utf8")));
    return testResults.flatMap(({ name, status, assertionResults }) => {
      const file = name.slice(name.indexOf(this.#folder) + this.#folder.length + 1);
      // A file that cannot be loaded has no tests.
      if (status === "failed" && assertionResults.length === 0) return [{ file, name: "the file does not load", passed: false }];
      return assertionResults.map((test) => ({ file, name: test.title, passed: test.status === "passed" }));
    });
  }

  async #run(name: string, ...args: string[]): Promise<string> {
    const { code, err } = await run(join(this.#folder, name), process.execPath, args);
    return code === 0 ? "" : err;
  }
}

const Results = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ title: z.string(), status: z.string() })),
    }),
  ),
});

const run = (cwd: string, command: string, args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(command, args, { cwd, maxBuffer: 64 * 1024 * 1024, env: ownEnvironment() }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    );
  });

/**
 * The environment without the variables by which a test runner recognizes that it runs in another one, and without the cache of compiled
 * code, which would keep the code of every copy.
 */
const ownEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|NODE_COMPILE_CACHE$|TEST$|NODE_ENV$|PROD$|DEV$|MODE$|SSR$|BASE_URL$)/.test(name),
    ),
  );
