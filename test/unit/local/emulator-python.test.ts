import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { emulatorPython } from "../../../lib/local/emulators/python.ts";

/** Stands in for a Python and for uv. Creates an environment that contains itself, and records how it was called. */
const standIn = `#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$*" in
  "-c import sys"*) echo "$VERSION" ;;
  "-c import venv"*) exit "$NO_VENV" ;;
  "-m pip --version") exit "$NO_PIP" ;;
  *venv\\ *) for last; do :; done; mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
  *install*) [ -z "$FAILS" ] || { echo "ERROR: it broke" >&2; exit 1; } ;;
esac
`;

let base = "";
let folder = "";
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "emulator-python-"));
  folder = join(base, "folder");
  const bin = join(base, "bin");
  await mkdir(bin);
  for (const tool of ["sh", "basename", "mkdir", "cp"]) await symlink(`/bin/${tool}`, join(bin, tool));
  await program("python3");
  const environment = { PATH: bin, CALLS: join(base, "calls"), VERSION: "3.12", NO_VENV: "0", NO_PIP: "0", FAILS: "" };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true, force: true });
});

async function program(name: string): Promise<void> {
  await writeFile(join(base, "bin", name), standIn);
  await chmod(join(base, "bin", name), 0o755);
}

async function installed(): Promise<{ readonly python: string; readonly lines: readonly string[]; readonly calls: readonly string[] }> {
  const lines: string[] = [];
  const python = await emulatorPython({ folder, log: ({ message }) => void lines.push(message) });
  return { python, lines, calls: await calls() };
}
/** How the programs were called to install something, without paths. */
async function calls(): Promise<readonly string[]> {
  const all = (await readFile(join(base, "calls"), "utf8")).trim().split("\n");
  await rm(join(base, "calls"));
  return all.filter((line) => /venv |install/.test(line) && !line.includes("-c ")).map((line) => line.replaceAll(/\/\S+/g, "PATH"));
}

test("without uv, the emulators are installed by the pip of a new environment, once", async () => {
  const first = await installed();
  expect(first.calls).toEqual([
    "python3 -m venv PATH",
    "python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r PATH",
  ]);
  expect(first.lines).toHaveLength(2);
  expect(await installed()).toEqual({ python: first.python, lines: [], calls: [] });
  expect(await readdir(folder)).toHaveLength(1);
});

test("another version of Python gets another environment", async () => {
  const { python } = await installed();
  vi.stubEnv("VERSION", "3.13");
  expect((await installed()).python).not.toBe(python);
});

test("uv installs the emulators if there is one", async () => {
  await program("uv");
  expect((await installed()).calls).toEqual([
    "uv venv --quiet --python python3 PATH",
    "uv pip install --quiet --compile-bytecode --python PATH --require-hashes --requirement PATH",
  ]);
});

test("a Python without ensurepip installs by the system's pip", async () => {
  vi.stubEnv("NO_VENV", "1");
  expect((await installed()).calls).toEqual([
    "python3 -m venv --without-pip PATH",
    "python3 -m pip --python PATH install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r PATH",
  ]);
});

test("a Python with neither venv nor pip is refused with what to install", async () => {
  vi.stubEnv("NO_VENV", "1");
  vi.stubEnv("NO_PIP", "1");
  await expect(installed()).rejects.toMatchObject({ code: "no-python", message: expect.stringContaining("apt install python3-venv") });
});

test("an old Python is passed over, and named if there is no other", async () => {
  vi.stubEnv("VERSION", "3.9");
  await program("python3.11");
  await expect(installed()).rejects.toMatchObject({
    code: "no-python",
    message: expect.stringContaining("python3 is 3.9, python3.11 is 3.9"),
  });
  await writeFile(join(base, "bin", "python3.11"), standIn.replace('echo "$VERSION"', "echo 3.11"));
  expect((await installed()).calls[0]).toBe("python3.11 -m venv PATH");
});

test("a failed installation is explained and leaves nothing behind", async () => {
  vi.stubEnv("FAILS", "1");
  await expect(installed()).rejects.toMatchObject({ code: "emulators-not-installed", message: expect.stringContaining("ERROR: it broke") });
  expect(await readdir(folder)).toEqual([]);
});

test("two starts at once get the same environment, and nothing else is left", async () => {
  const pythons = await Promise.all([0, 1].map(() => emulatorPython({ folder, log: () => undefined })));
  expect(pythons[0]).toBe(pythons[1]);
  expect(await readdir(folder)).toHaveLength(1);
});

test("a folder in the place of the environment that is none is not taken for it", async () => {
  const { python } = await installed();
  await rm(python);
  await expect(installed()).rejects.toMatchObject({ code: "ENOTEMPTY" });
  expect(await readdir(folder)).toHaveLength(1);
});
