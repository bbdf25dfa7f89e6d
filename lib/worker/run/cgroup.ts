import { access, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { WorkerLog } from "../runtime/log.ts";

/**
 * Limits of memory, processors and processes through cgroup v2, below the worker's own systemd service (its unit must say `Delegate=yes`). A
 * program starts in its cgroup, so that nothing that it starts escapes.
 */
export type Cgroups = {
  /** Makes an attempt's cgroup. */
  make(name: string, limits: { readonly vcpus: number; readonly memoryGiB: number }): Promise<Cgroup>;
};

export type Cgroup = {
  /** The file to which a process writes 0 in order to join. */
  readonly procs: string;
  /** Ends all processes that are left in the cgroup and removes it. Returns whether it ran out of memory. */
  end(): Promise<{ readonly ranOutOfMemory: boolean }>;
};

const periodUs = 100_000;
/** The most processes and threads of a program: enough for data loaders, and no fork bomb ends the node. */
const maxProcesses = 4_096;
/** The same for each vCPU, if that is more. */
const maxProcessesPerVcpu = 1_024;
/** What is limited. A kernel may lack one; then the others are limited. */
const controllers = ["cpu", "memory", "pids"] as const;
type Controller = (typeof controllers)[number];
/** The worker's own cgroup, next to those of its attempts. */
const ownName = "worker";
const lookEveryMs = 100;

/** The machine that the worker runs on. `root` is where its file system begins. */
type CgroupMachine = { readonly uid: number | undefined; readonly root: string };
const thisMachine: CgroupMachine = { uid: process.getuid?.(), root: "/" };

/** Returns undefined, and logs why, if there is no systemd or no delegated cgroup v2, or if the worker is not root. */
export async function openCgroups(log: WorkerLog, { uid, root }: CgroupMachine = thisMachine): Promise<Cgroups | undefined> {
  try {
    if (uid !== 0) throw new Error("the worker is not root");
    await access(join(root, "run/systemd/system"));
    const own = /^0::(\/.+\.service)$/m.exec(await readFile(join(root, "proc/self/cgroup"), "utf8"))?.[1];
    if (own === undefined) throw new Error("the worker is not a systemd service");
    return await cgroupsBelow(join(root, "sys/fs/cgroup", own), process.pid);
  } catch (error) {
    log("info", "jobs run without memory and CPU limits", {}, error);
    return undefined;
  }
}

/** Moves the worker into a child cgroup too, because a cgroup that has children may not hold processes itself. */
export async function cgroupsBelow(root: string, workerPid: number): Promise<Cgroups> {
  await endLeft(root);
  const own = join(root, ownName);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, "cgroup.procs"), String(workerPid));
  const available = (await readFile(join(root, "cgroup.controllers"), "utf8")).split(/\s+/);
  const enabled = controllers.filter((each) => available.includes(each));
  if (enabled.length > 0) await writeFile(join(root, "cgroup.subtree_control"), enabled.map((each) => `+${each}`).join(" "));
  return {
    async make(name, limits) {
      const folder = join(root, name);
      await mkdir(folder, { recursive: true });
      for (const [controller, file, value] of limitFiles(limits))
        if (enabled.includes(controller)) await writeFile(join(folder, file), value);
      return { procs: join(folder, "cgroup.procs"), end: () => end(folder) };
    },
  };
}

const limitFiles = ({
  vcpus,
  memoryGiB,
}: {
  readonly vcpus: number;
  readonly memoryGiB: number;
}): readonly [Controller, string, string][] => [
  ["memory", "memory.max", String(Math.ceil(memoryGiB * 1024 ** 3))],
  ["memory", "memory.oom.group", "1"],
  ["cpu", "cpu.max", `${Math.ceil(vcpus * periodUs)} ${periodUs}`],
  ["pids", "pids.max", String(Math.max(maxProcesses, Math.ceil(vcpus * maxProcessesPerVcpu)))],
];

/** Ends what an earlier process of the worker left in the cgroups of its attempts, and waits until it is gone. */
async function endLeft(root: string): Promise<void> {
  const left = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory() && entry.name !== ownName);
  for (const { name } of left) {
    const folder = join(root, name);
    await writeFile(join(folder, "cgroup.kill"), "1");
    while (/^populated 1/m.test(await readFile(join(folder, "cgroup.events"), "utf8").catch(() => ""))) await pause(lookEveryMs);
    await rmdir(folder).catch(() => undefined);
  }
}

async function end(folder: string): Promise<{ readonly ranOutOfMemory: boolean }> {
  const events = await readFile(join(folder, "memory.events"), "utf8").catch(() => "");
  await writeFile(join(folder, "cgroup.kill"), "1");
  // This fails while the last process is ending. An empty cgroup that remains does no harm.
  await rmdir(folder).catch(() => undefined);
  return { ranOutOfMemory: /^oom_kill [1-9]/m.test(events) };
}
