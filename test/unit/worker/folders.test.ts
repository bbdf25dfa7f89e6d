import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clearLeftovers, folderOf, hasLeftContainers, makeFolder, recordProgram } from "../../../lib/worker/run/folders.ts";
import { endLeftovers, groupsThere } from "../../../lib/worker/run/leftover-processes.ts";

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

  test.runIf(hasProc)(
    "leftovers are returned only when their processes are gone, also one that its group does not hold any more",
    async () => {
      const folder = folderOf(root, ref);
      await makeFolder(folder, undefined);
      const program = await sleeper();
      await recordProgram(folder, program.pid);
      const escaped = await sleeper({ FLEETWRIGHT_FOLDER: folder.work });
      await clearLeftovers(root);
      expect(await groupsThere([program.pid, escaped.pid, process.pid])).toEqual([]);
      await Promise.all([program.ended, escaped.ended]);
    },
  );

  test("a worker knows whether an earlier one has run a container whose end must be made sure of", async () => {
    await makeFolder(folderOf(root, ref), undefined);
    expect(await hasLeftContainers(root)).toBe(false);
    await writeFile(join(folderOf(root, ref).root, "container.env"), "");
    expect(await hasLeftContainers(root)).toBe(true);
  });

  test("the files of a leftover that must be kept stay, and all others are removed", async () => {
    const others = [
      { ...ref, attempt: 3 },
      { ...ref, job: "train-2" },
      { ...ref, team: "audio" },
    ];
    for (const each of [ref, ...others]) {
      await makeFolder(folderOf(root, each), undefined);
      await writeFile(join(folderOf(root, each).work, "model.pt"), "weights");
    }
    expect(
      await clearLeftovers(root, { isKept: async ({ team, job, attempt }) => team === ref.team && job === ref.job && attempt === 2 }),
    ).toHaveLength(4);
    expect(await readFile(join(folderOf(root, ref).work, "model.pt"), "utf8")).toBe("weights");
    for (const each of others) await expect(access(folderOf(root, each).root)).rejects.toThrow();
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

  test("the group of a leftover process whose start is not known is left alone", async () => {
    const folder = folderOf(root, ref);
    await makeFolder(folder, undefined);
    // The leader of this group has ended, so that there is nothing to compare with either.
    const leader = spawn("sh", ["-c", "sleep 60 >/dev/null & echo $!"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    const [printed] = await Promise.all([once(leader.stdout, "data"), once(leader, "exit")]);
    await writeFile(join(folder.root, "program.json"), JSON.stringify({ pid: leader.pid, birth: "" }));
    await clearLeftovers(root);
    const member = Number(String(printed));
    expect(() => process.kill(member, 0)).not.toThrow();
    process.kill(member, "SIGKILL");
  });

  test("leftovers with an incomplete file or unknown names are removed", async () => {
    await mkdir(join(root, "attempts", "vision", "train-1", "2"), { recursive: true });
    await writeFile(join(root, "attempts", "vision", "train-1", "2", "program.json"), '{"pid":');
    for (const names of ["lost+found/x/1", "vision/train-1/y", "vision/train-1/1.5", "vision/not a job/1"])
      await mkdir(join(root, "attempts", names), { recursive: true });
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

test("only an attempt's own user can reach its files, and only the worker the record of its process", async () => {
  const folder = folderOf(root, ref);
  const isRoot = process.getuid?.() === 0;
  await makeFolder(folder, isRoot ? { uid: 1234, gid: 2345 } : undefined);
  await recordProgram(folder, process.pid);
  const modes = await Promise.all([folder.work, folder.tmp, join(folder.root, "program.json")].map((path) => stat(path)));
  expect(modes.map(({ mode }) => mode & 0o7777)).toEqual([0o700, 0o700, 0o600]);
  if (isRoot)
    expect(modes.map(({ uid, gid }) => [uid, gid])).toEqual([
      [1234, 2345],
      [1234, 2345],
      [0, 0],
    ]);
});

test.runIf(hasProc)("processes that left their group, and no others, are found by their folder", async () => {
  const mine = await sleeper({ FLEETWRIGHT_FOLDER: join(root, "a", "work") });
  const other = await sleeper({ FLEETWRIGHT_FOLDER: join(root, "ab", "work") });
  const exact = await sleeper({ FLEETWRIGHT_FOLDER: join(root, "a") });
  expect(await endLeftovers(join(root, "a"))).toBe(2);
  await Promise.all([mine.ended, exact.ended]);
  process.kill(-other.pid, "SIGKILL");
  await other.ended;
});
