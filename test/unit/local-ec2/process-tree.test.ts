import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { endTree } from "../../../lib/local/ec2/instances/process-tree.ts";
import { createWatchdog } from "../../../lib/local/ec2/instances/watchdog.ts";
import { isAlive } from "./is-alive.ts";

let folder = "";
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "process-tree-")));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function started(script: string): Promise<{ group: number; line: string }> {
  const child = spawn(process.execPath, ["-e", script], {
    env: { FLEETWRIGHT_FOLDER: folder },
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(child.stdout, "data");
  return { group: child.pid ?? 0, line: String(line).trim() };
}

it("endTree lets the process group end by itself within the grace", async () => {
  const { group } = await started(
    `process.on("SIGTERM", () => setTimeout(() => { require("node:fs").writeFileSync("${folder}/ended", "well"); process.exit(0); }, 100));
    setInterval(() => {}, 1000); console.log("up")`,
  );
  const began = performance.now();
  await endTree({ group, folder }, 60_000);
  expect(isAlive(group)).toBe(false);
  expect(performance.now() - began).toBeLessThan(30_000);
  expect(await readFile(join(folder, "ended"), "utf8")).toBe("well");
});

it("endTree lets a stopped process end by itself, too, and gives none any time without a grace", async () => {
  const script = `process.on("SIGTERM", () => { require("node:fs").writeFileSync("${folder}/ended", "well"); process.exit(0); });
    setInterval(() => {}, 1000); console.log("up")`;
  const patient = await started(script);
  process.kill(patient.group, "SIGSTOP");
  await endTree({ group: patient.group, folder }, 60_000);
  expect(await readFile(join(folder, "ended"), "utf8")).toBe("well");
  await rm(join(folder, "ended"));
  const hasty = await started(script);
  await endTree({ group: hasty.group, folder }, 0);
  expect(isAlive(hasty.group)).toBe(false);
  await expect(readFile(join(folder, "ended"))).rejects.toThrow();
});

it("endTree kills processes that ignore SIGTERM or have left the group", async () => {
  const { group, line } = await started(`
    const { spawn } = require("node:child_process");
    process.on("SIGTERM", () => undefined);
    const away = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore", cwd: "/" });
    console.log(away.pid); setInterval(() => {}, 1000);`);
  expect(isAlive(Number(line))).toBe(true);
  await endTree({ group, folder }, 100);
  expect([isAlive(group), isAlive(Number(line))]).toEqual([false, false]);
});

it("endTree finds processes without parents by the folder in their environment", { skip: process.platform !== "linux" }, async () => {
  const { line } = await started(`
    const { spawn } = require("node:child_process");
    const env = { FLEETWRIGHT_FOLDER: process.env.FLEETWRIGHT_FOLDER + "/attempts/1" };
    console.log(spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore", env }).pid);
    setTimeout(() => process.exit(0), 50);`);
  await vi.waitFor(() => expect(isAlive(Number(line))).toBe(true), { timeout: 15_000 });
  await endTree({ group: undefined, folder: `${folder}/attempts/10` }, 0);
  expect(isAlive(Number(line))).toBe(true);
  await endTree({ group: undefined, folder }, 0);
  expect(isAlive(Number(line))).toBe(false);
});

it("endTree ends no other process if its group has ended", async () => {
  const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
  await endTree({ group: undefined, folder }, 1000);
  expect(isAlive(other.pid ?? 0)).toBe(true);
  other.kill("SIGKILL");
});

/** Starts a process that ignores SIGTERM and one that leaves its group, both under the watchdog. Prints their ids and goes on. */
const cloudThatDies = `
  import { spawn } from "node:child_process";
  import { createWatchdog } from ${JSON.stringify(new URL("../../../lib/local/ec2/instances/watchdog.ts", import.meta.url))};
  const folder = process.argv[1];
  const program = \`
    const { spawn } = require("node:child_process");
    process.on("SIGTERM", () => undefined);
    const strayed = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
    console.log(process.pid + " " + strayed.pid);
    setInterval(() => {}, 1000);\`;
  const env = { FLEETWRIGHT_FOLDER: folder };
  const watchdog = createWatchdog(() => undefined);
  watchdog.watch({ folder, group: undefined });
  const worker = spawn(process.execPath, ["-e", program], { env, detached: true, stdio: ["ignore", "inherit", "ignore"] });
  watchdog.watch({ folder, group: worker.pid });`;

it("the watchdog ends the instances' processes if the local cloud is killed", { timeout: 45_000 }, async () => {
  const cloud = spawn(process.execPath, ["--input-type=module", "-e", cloudThatDies, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(cloud.stdout, "data");
  const pids = String(line).trim().split(" ").map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  cloud.kill("SIGKILL");
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 30_000, interval: 100 });
});

it("the watchdog leaves alone the processes of an instance that it was told to forget", {
  skip: process.platform !== "linux",
}, async () => {
  const [kept, ended] = ["kept", "ended"].map((name) =>
    spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { env: { FLEETWRIGHT_FOLDER: join(folder, name) }, stdio: "ignore" }),
  );
  const watchdog = createWatchdog(() => undefined);
  for (const name of ["kept", "ended"]) watchdog.watch({ folder: join(folder, name), group: undefined });
  watchdog.forget(join(folder, "kept"));
  watchdog.close();
  await vi.waitFor(() => expect(isAlive(ended?.pid ?? 0)).toBe(false), { timeout: 30_000, interval: 50 });
  expect(isAlive(kept?.pid ?? 0)).toBe(true);
  kept?.kill("SIGKILL");
});

it("the watchdog does its work after Ctrl-C and a closed terminal, too", {
  timeout: 45_000,
  skip: process.platform !== "linux",
}, async () => {
  const cloud = spawn(process.execPath, ["--input-type=module", "-e", cloudThatDies, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(cloud.stdout, "data");
  const pids = String(line).trim().split(" ").map(Number);
  const children = (await readFile(`/proc/${cloud.pid}/task/${cloud.pid}/children`, "utf8")).trim().split(" ").map(Number);
  const [watchdog = 0] = children.filter((pid) => !pids.includes(pid));
  await vi.waitFor(async () => expect(await signalsCaught(watchdog)).toEqual(expect.arrayContaining(["SIGHUP", "SIGINT"])), {
    timeout: 15_000,
  });
  process.kill(watchdog, "SIGINT");
  process.kill(watchdog, "SIGHUP");
  cloud.kill("SIGKILL");
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 30_000, interval: 100 });
});

/** Returns which of the signals that a terminal sends have a handler in the process. */
async function signalsCaught(pid: number): Promise<readonly string[]> {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return Object.entries({ SIGHUP: 1, SIGINT: 2 }).flatMap(([name, signal]) =>
    (BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n ? [name] : [],
  );
}

it("endTree leaves alone a process that it may not signal, and fails with any other error", async () => {
  const refuse = (code: string) => () => {
    throw Object.assign(new Error(code), { code });
  };
  const { group } = await started(`setInterval(() => {}, 1000); console.log("up")`);
  const kill = vi.spyOn(process, "kill").mockImplementation(refuse("EINVAL"));
  await expect(endTree({ group, folder }, 0)).rejects.toMatchObject({ code: "EINVAL" });
  kill.mockImplementation(refuse("EPERM"));
  await expect(endTree({ group, folder }, 0)).resolves.toBeUndefined();
  kill.mockRestore();
  expect(isAlive(group)).toBe(true);
  await endTree({ group, folder }, 0);
  expect(isAlive(group)).toBe(false);
});
