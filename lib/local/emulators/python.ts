import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { LocalLog } from "../run/log-line.ts";
import { whyNotInstalled } from "./not-installed.ts";

const run = promisify(execFile);
const emulators: PythonPackages = { name: "The AWS emulators", requirements: join(import.meta.dirname, "requirements.txt") };
const installTimeoutMs = 10 * 60_000;

/** What a virtual environment contains: the file of its pinned packages, and what messages call them. */
type PythonPackages = { readonly name: string; readonly requirements: string };

/** Returns the Python that has the emulators. */
export const emulatorPython = ({ folder, log }: { folder: string; log: LocalLog }): Promise<string> =>
  pythonWith(emulators, folder, {
    begun: () => log({ message: "Installing the AWS emulators (once, about half a minute) …" }),
    ended: (seconds) => log({ message: "Installed the AWS emulators", seconds }),
  });

/**
 * Returns the Python that has these packages: a virtual environment in `folder`, named by a hash of its contents and created on
 * first use. If two starts create it at once, the later one is dropped. Throws the FleetError `no-python` if there is no suitable Python.
 */
export async function pythonWith(
  packages: PythonPackages,
  folder: string,
  installation?: { begun(): void; ended(seconds: number): void },
): Promise<string> {
  const base = await findPython();
  const wanted = createHash("sha256")
    .update(await readFile(packages.requirements))
    .update(base.version);
  const venv = join(folder, `venv-${wanted.digest("hex").slice(0, 16)}`);
  if (await exists(pythonIn(venv))) return pythonIn(venv);

  installation?.begun();
  const startedAt = performance.now();
  await mkdir(folder, { recursive: true });
  const making = `${venv}.${randomUUID()}`;
  try {
    await install(base.command, making, packages);
    await rename(making, venv).catch(async (error: unknown) => {
      if (!(await exists(pythonIn(venv)))) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  installation?.ended(Math.round((performance.now() - startedAt) / 1000));
  return pythonIn(venv);
}

const pythonIn = (venv: string): string => join(venv, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");

async function findPython(): Promise<{ command: string; version: string }> {
  const seen: string[] = [];
  for (const command of ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"]) {
    const version = await run(command, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], { timeout: 20_000 }).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
    if (version === undefined) continue;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major === 3 && minor >= 10) return { command, version };
    seen.push(`${command} is ${version}`);
  }
  throw new FleetError(
    "no-python",
    `The local cloud needs Python 3.10 or newer on the PATH (it stands in for AWS); ${seen.length > 0 ? seen.join(", ") : "none was found"}.`,
  );
}

async function install(python: string, venv: string, { name, requirements }: PythonPackages): Promise<void> {
  const installer = (await works("uv", ["--version"])) ? "uv" : "pip";
  try {
    await (installer === "uv" ? installByUv : installByPip)(python, venv, requirements);
  } catch (error) {
    if (error instanceof FleetError) throw error;
    const late = error instanceof Error && "killed" in error && error.killed === true;
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : undefined;
    const why = late ? `${installer} did not end within ${installTimeoutMs / 60_000} minutes` : undefined;
    throw new FleetError(
      "emulators-not-installed",
      `${name} could not be installed: ${why ?? whyNotInstalled(stderr ?? inWords(error), installer)}`,
      { cause: error },
    );
  }
}

async function installByUv(python: string, venv: string, requirements: string): Promise<void> {
  await run("uv", ["venv", "--quiet", "--python", python, venv], { timeout: installTimeoutMs });
  const options = ["--quiet", "--compile-bytecode", "--python", pythonIn(venv), "--require-hashes", "--requirement", requirements];
  await run("uv", ["pip", "install", ...options], { timeout: installTimeoutMs });
}

async function installByPip(python: string, venv: string, requirements: string): Promise<void> {
  const options = ["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes", "-r", requirements];
  if (await works(python, ["-c", "import venv, ensurepip"])) {
    await run(python, ["-m", "venv", venv], { timeout: installTimeoutMs });
    await run(pythonIn(venv), ["-m", "pip", ...options], { timeout: installTimeoutMs });
    return;
  }
  // Debian and its derivatives ship Python without ensurepip, but a system pip can install into a bare environment.
  if (!(await works(python, ["-m", "pip", "--version"])))
    throw new FleetError("no-python", `${python} has neither venv nor pip. Install them (Debian, Ubuntu: apt install python3-venv) or uv.`);
  await run(python, ["-m", "venv", "--without-pip", venv], { timeout: installTimeoutMs });
  await run(python, ["-m", "pip", "--python", pythonIn(venv), ...options], { timeout: installTimeoutMs });
}

const works = (command: string, args: readonly string[]): Promise<boolean> =>
  run(command, [...args], { timeout: 20_000 }).then(
    () => true,
    () => false,
  );

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
