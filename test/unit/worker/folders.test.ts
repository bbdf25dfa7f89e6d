import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clearLeftovers, folderOf, makeFolder, recordProgram } from "../../../lib/worker/run/folders.ts";
import { endLeftovers } from "../../../lib/worker/run/leftover-processes.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fw-folders-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const ref = { team: "vision", job: "train-1", attempt: 2 };
const hasProc = await access("/proc/self/environ").then(
  () => true,
  () => false,
);

async function sleeper(env: Record<string, string> = {}): Promise<{ pid: number; ended: Promise<unknown> }> {
  const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore", env: { PATH: process.env["PATH"] ?? "", ...env } });
  const ended = once(child, "exit");
  await once(child, "spawn");
  if (child.pid === undefined) throw new Error("no pid");
  return { pid: child.pid, ended };
}

describe("leftovers of an earlier worker", () => {
  test("leftovers of an earlier worker are ended, removed and returned", async () => {
    const folder = folderOf(root, ref);
    await makeFolder(folder, undefined);
    const program = await sleeper();
    await recordProgram(folder, program.pid);
    expect(await clearLeftovers(root)).toEqual([ref]);
    if (hasProc) await program.ended;
    else process.kill(-program.pid, "SIGKILL");
    await expect(access(folder.root)).rejects.toThrow();
    expect(await clearLeftovers(root)).toEqual([]);
  });

  test("a process that now has the id of a leftover one is left alone", async () => {
    const folder = folderOf(root, ref);
    await makeFolder(folder, undefined);
    const other = await sleeper();
    await writeFile(join(folder.root, "program.json"), JSON.stringify({ pid: other.pid, birth: "another boot/1" }));
    await clearLeftovers(root);
    expect(() => process.kill(other.pid, 0)).not.toThrow();
    process.kill(-other.pid, "SIGKILL");
    await other.ended;
  });

  test("leftovers with an incomplete file or unknown names are removed", async () => {
    await mkdir(join(root, "attempts", "vision", "train-1", "2"), { recursive: true });
    await writeFile(join(root, "attempts", "vision", "train-1", "2", "program.json"), '{"pid":');
    await mkdir(join(root, "attempts", "lost+found", "x", "y"), { recursive: true });
    expect(await clearLeftovers(root)).toEqual([ref]);
  });
});

test("a new attempt begins in an empty folder", async () => {
  const folder = folderOf(root, ref);
  await makeFolder(folder, undefined);
  await writeFile(join(folder.work, "old"), "");
  await makeFolder(folder, undefined);
  await expect(readFile(join(folder.work, "old"))).rejects.toThrow("ENOENT");
});

test.runIf(hasProc)("processes that left their group, and no others, are found by their folder", async () => {
  const mine = await sleeper({ FLEETWRIGHT_FOLDER: join(root, "a", "work") });
  const other = await sleeper({ FLEETWRIGHT_FOLDER: join(root, "ab", "work") });
  expect(await endLeftovers(join(root, "a"))).toBe(1);
  await mine.ended;
  process.kill(-other.pid, "SIGKILL");
  await other.ended;
});
