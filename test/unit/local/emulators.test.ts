import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startEmulators } from "../../../lib/local/emulators/emulators.ts";
import { isAlive } from "../local-ec2/is-alive.ts";

/** Serves like an emulator: writes its process id to a file, prints its port, and responds to every call with the status. */
const server = `
const [, , folder, name, status] = process.argv;
require("node:fs").writeFileSync(folder + "/" + name + ".pid", String(process.pid));
require("node:http").createServer((call, response) => { response.statusCode = Number(status); response.end(call.url); })
  .listen(0, "127.0.0.1", function () { console.log("loading"); console.log("listening " + this.address().port); });`;

/** Stands in for Python. What it runs for each emulator is in a file beside it. */
const standIn = (folder: string) => `#!/bin/sh
case "$*" in
  "-c import sys"*) echo 3.12 ;;
  *venv\\ *) for last; do :; done; mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
  *serve.py*) for last; do :; done; . "${folder}/$last.sh" ;;
esac
`;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "emulators-"));
  const bin = join(folder, "bin");
  await mkdir(bin);
  for (const tool of ["sh", "mkdir", "cp"]) await symlink(`/bin/${tool}`, join(bin, tool));
  await writeFile(join(bin, "python3"), standIn(folder));
  await chmod(join(bin, "python3"), 0o755);
  vi.stubEnv("PATH", bin);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const serves = async (name: string, status = 200): Promise<void> => {
  await writeFile(join(folder, "server.cjs"), server);
  await writeFile(join(folder, `${name}.sh`), `exec "${process.execPath}" "${folder}/server.cjs" "${folder}" ${name} ${status}`);
};
const start = () => startEmulators({ folder, log: () => undefined });
const pidOf = async (name: string): Promise<number> => Number(await readFile(join(folder, `${name}.pid`), "utf8"));

test("both emulators respond at URLs of their own, and end when they are stopped, once or twice", async () => {
  await Promise.all([serves("ministack"), serves("moto")]);
  const { ministackUrl, motoUrl, stop } = await start();
  expect(await (await fetch(`${ministackUrl}/a`)).text()).toBe("/a");
  expect(await (await fetch(`${motoUrl}/b`)).text()).toBe("/b");
  const pids = [await pidOf("ministack"), await pidOf("moto")];
  expect(pids.map(isAlive)).toEqual([true, true]);
  await stop();
  expect(pids.map(isAlive)).toEqual([false, false]);
  await stop();
});

test.each([
  ["ministack", "moto"],
  ["moto", "ministack"],
] as const)("if %s does not start, the error says why and where its output is, and %s is stopped", async (broken, other) => {
  await serves(other);
  // It ends only when the other one serves, so that there is something to stop.
  await writeFile(join(folder, `${broken}.sh`), `while [ ! -s "${folder}/${other}.pid" ]; do :; done; echo "no module" >&2; exit 3`);
  await expect(start()).rejects.toMatchObject({
    code: "emulator-not-started",
    message: `${broken} did not start: it ended with 3; see ${join(folder, `${broken}.log`)}`,
  });
  expect(isAlive(await pidOf(other))).toBe(false);
  expect(await readFile(join(folder, `${broken}.log`), "utf8")).toBe("no module\n");
});

test("no timer runs on after emulators have started or failed", async () => {
  const [set, clear] = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "clearTimeout")];
  const left = () => {
    const cleared = new Set(clear.mock.calls.map(([timer]) => timer));
    const waits = set.mock.calls.map(([, ms]) => ms ?? 0);
    return set.mock.results.filter(({ value }, n) => (waits[n] ?? 0) >= 10_000 && !cleared.has(value)).length;
  };
  await Promise.all([serves("ministack"), serves("moto")]);
  const { stop } = await start();
  expect([set.mock.calls.length >= 2, left()]).toEqual([true, 0]);
  await stop();
  await writeFile(join(folder, "moto.sh"), "exit 3");
  await expect(start()).rejects.toThrow();
  expect(left()).toBe(0);
});

test("an emulator whose health check fails is stopped, too", async () => {
  await Promise.all([serves("ministack"), serves("moto", 500)]);
  await expect(start()).rejects.toMatchObject({ code: "emulator-ill", message: expect.stringContaining("moto returned 500") });
  expect([isAlive(await pidOf("ministack")), isAlive(await pidOf("moto"))]).toEqual([false, false]);
});
