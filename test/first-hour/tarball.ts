/**
 * `node test/first-hour/tarball.ts` packs the command as `npm pack` does, installs the tarball under Node 20, 22 and 24, and uses it
 * with a local cloud that this checkout runs. Prints one line per check. Exits with 1 unless all checks passed.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { newcomer } from "./newcomer.ts";
import { type At, must, type Ran, run, startCloud } from "./run.ts";

const root = join(import.meta.dirname, "..", "..");
const majors = [20, 22, 24] as const;
const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")));

const home = await mkdtemp(join(tmpdir(), "fleetwright first hour "));
const env = newcomer(home);

let failures = 0;
function check(
  what: string,
  ran: Ran,
  expected: { readonly code: number; readonly says: readonly RegExp[]; readonly never?: RegExp },
): void {
  const output = `${ran.out}\n${ran.err}`;
  const wrong = [
    ...(ran.code === expected.code ? [] : [`it ended with ${ran.code}, not ${expected.code}`]),
    ...expected.says.filter((pattern) => !pattern.test(output)).map((pattern) => `it did not say ${pattern}`),
    ...(expected.never?.test(output) ? [`it said ${expected.never}`] : []),
  ];
  if (wrong.length > 0) failures += 1;
  console.log(
    `${wrong.length === 0 ? "ok    " : "FAILED"} ${what} (${ran.seconds} s)${wrong.length === 0 ? "" : `: ${wrong.join("; ")}\n${output}`}`,
  );
}

/** Returns the folder of a Node of this major version. */
async function nodeFolder(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return dirname(process.execPath);
  const prefix = join(home, `node-${major}`);
  await mkdir(prefix, { recursive: true });
  // The package `node` installs this by a script, for which npm may wait forever.
  const name = `node-${process.platform}-${process.arch}`;
  const install = ["install", "--prefix", prefix, "--no-save", "--ignore-scripts", `${name}@${major}`];
  const first = await run("npm", install, { cwd: prefix, env, withinMs: 120_000 });
  if (first.code !== 0) await must("npm", install, { cwd: prefix, env, withinMs: 240_000 });
  return join(prefix, "node_modules", name, "bin");
}

async function tryOn(major: number, tarball: string): Promise<void> {
  const prefix = join(home, `prefix-${major}`);
  const own = { ...env, PATH: `${join(prefix, "bin")}:${await nodeFolder(major)}:${env["PATH"]}` };
  const at: At = { cwd: home, env: own, withinMs: 90_000 };
  const node = `Node ${major}`;
  const fleet = (args: readonly string[], input?: string): Promise<Ran> =>
    run("fleet", args, { ...at, ...(input === undefined ? {} : { input }) });
  check(`${node}: npm i -g`, await run("npm", ["i", "-g", "--prefix", prefix, tarball], at), { code: 0, says: [/added 1 package/] });
  check(`${node}: node --version`, await run("node", ["--version"], at), { code: 0, says: [new RegExp(`^v${major}\\.`)] });
  check(`${node}: --version`, await fleet(["--version"]), { code: 0, says: [new RegExp(`^${version}\\n`)] });
  check(`${node}: --help`, await fleet(["--help"]), { code: 0, says: [/^Usage: fleet /, /\n {2}fleet submit /], never: /npm run/ });

  const job = `on-node-${major}`;
  const folder = join(home, job);
  await mkdir(folder);
  await writeFile(join(folder, "train.sh"), "echo it runs; echo weights > model.txt\n");
  const options = ["--workdir", folder, "--team", "research", "--id", job, "--artifact", "model.txt"];
  const submitted = await fleet(["submit", ...options, "--", "sh", "train.sh"]);
  const hint = `follow with: fleet logs ${job} -f --team research`;
  check(`${node}: submit --workdir`, submitted, { code: 0, says: [new RegExp(`^${job}\\n`), /^local cloud at http/m, new RegExp(hint)] });
  check(`${node}: logs -f`, await fleet(["logs", job, "-f", "--team", "research"]), { code: 0, says: [/^it runs$/m] });
  check(`${node}: artifacts get`, await fleet(["artifacts", "get", job, join(home, `out-${major}`), "--team", "research"]), {
    code: 0,
    says: [],
  });
  const piped = await fleet(["submit", "-", "--team", "research", "--wait"], `{"id":"piped-${major}","command":["true"]}`);
  check(`${node}: submit - --wait`, piped, { code: 0, says: [/succeeded/] });
  // A pipe must not contain control characters such as colours.
  check(`${node}: jobs`, await fleet(["jobs", "--team", "research"]), {
    code: 0,
    says: [/^ID +STATE/m],
    never: new RegExp(String.fromCharCode(27)),
  });
  const [sample] = /^ {2}(fleet plan .*)$/m.exec((await fleet(["plan", "--help"])).out)?.slice(1) ?? [];
  check(`${node}: plan, as its help has it`, await run("sh", ["-c", sample ?? "false"], at), {
    code: 0,
    says: [/^bound .*\n(.*\n)*found by /m],
  });
  check(`${node}: capacity`, await fleet(["capacity", "--compute", "1000000"]), { code: 0, says: [/\$/] });
  for (const needs of ["local", "demo", "chaos"])
    check(`${node}: ${needs}, which needs the checkout`, await fleet([needs]), {
      code: 2,
      says: [new RegExp(`in a checkout of Fleetwright: npm ci && npm run -s fleet ${needs}`)],
      never: /\n +at |ERR_/,
    });
  const npx = (...args: string[]): Promise<Ran> => run("npx", ["--yes", "--package", tarball, "fleet", ...args], at);
  check(`${node}: npx`, await npx("job", "nobody", "--team", "research"), {
    code: 1,
    says: [/list them with: npx --package \S*fleetwright-\S+\.tgz fleet jobs/],
  });
}

const packed = must("npm", ["pack", "--pack-destination", home, "--silent"], { cwd: root, env });
const starting = startCloud("npm run -s fleet local", { cwd: root, env });
try {
  const [{ out }] = await Promise.all([packed, starting]);
  const tarball = `./${basename(out.trim().split("\n").at(-1) ?? "")}`;
  console.log(`packed ${tarball}`);
  for (const major of majors) await tryOn(major, tarball);
} finally {
  await (await starting.catch(() => undefined))?.stop();
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
}
console.log(failures === 0 ? "all of it worked" : `${failures} did not work`);
process.exitCode = failures === 0 ? 0 : 1;
