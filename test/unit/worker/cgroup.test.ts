import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cgroupsBelow } from "../../../lib/worker/run/cgroup.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fw-cgroup-"));
  await writeFile(join(root, "cgroup.controllers"), "cpuset cpu io memory pids\n");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const read = (...path: string[]) => readFile(join(root, ...path), "utf8");

// An ordinary folder replaces the kernel's, so this shows what is written but not what the kernel does with it.
test("a program is limited to its share, and the worker moves into its own cgroup", async () => {
  const cgroups = await cgroupsBelow(root, 100);
  expect(await read("worker", "cgroup.procs")).toBe("100");
  expect(await read("cgroup.subtree_control")).toBe("+cpu +memory +pids");
  const cgroup = await cgroups.make("vision.train-1.1", { vcpus: 1.5, memoryGiB: 0.5 });
  expect(await read("vision.train-1.1", "memory.max")).toBe(String(512 * 1024 ** 2));
  // If the kernel must end something, it ends the whole program, because half of one would hang.
  expect(await read("vision.train-1.1", "memory.oom.group")).toBe("1");
  expect(await read("vision.train-1.1", "cpu.max")).toBe("150000 100000");
  expect(await read("vision.train-1.1", "pids.max")).toBe("4096");
  expect(cgroup.procs).toBe(join(root, "vision.train-1.1", "cgroup.procs"));
  await cgroups.make("large", { vcpus: 96, memoryGiB: 1 });
  expect(await read("large", "pids.max")).toBe(String(96 * 1024));
  await writeFile(join(root, "vision.train-1.1", "memory.events"), "low 0\noom 3\noom_kill 1\n");
  expect(await cgroup.end()).toEqual({ ranOutOfMemory: true });
  expect(await read("vision.train-1.1", "cgroup.kill")).toBe("1");
  await writeFile(join(root, "vision.train-1.1", "memory.events"), "low 0\noom 0\noom_kill 0\n");
  expect(await cgroup.end()).toEqual({ ranOutOfMemory: false });
});

test("a kernel that lacks a controller limits the rest", async () => {
  await writeFile(join(root, "cgroup.controllers"), "pids hugetlb\n");
  await (await cgroupsBelow(root, 100)).make("job", { vcpus: 1, memoryGiB: 1 });
  expect(await read("cgroup.subtree_control")).toBe("+pids");
  expect(await readdir(join(root, "job"))).toEqual(["pids.max"]);
});

test("what an earlier worker left in the cgroups of its attempts is killed, and waited for", async () => {
  await mkdir(join(root, "vision.train-1.1"));
  const events = join(root, "vision.train-1.1", "cgroup.events");
  await writeFile(events, "populated 1\nfrozen 0\n");
  let isOpen = false;
  const opening = cgroupsBelow(root, 100).then(() => {
    isOpen = true;
  });
  await expect.poll(() => read("vision.train-1.1", "cgroup.kill").catch(() => "")).toBe("1");
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(isOpen).toBe(false);
  await writeFile(events, "populated 0\nfrozen 0\n");
  await opening;
});
