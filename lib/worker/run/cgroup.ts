import { access, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../runtime/log.ts";

/**
 * Memory and CPU limits by cgroup v2, below the worker's own systemd service (whose unit says `Delegate=yes`). A program
 * is moved in right after it was started, before it has done anything of note, so nothing has to run as root on its behalf.
 */
export type Cgroups = {
  hold(name: string, pid: number, limits: { readonly vcpus: number; readonly memoryGiB: number }): Promise<Cgroup>;
};

export type Cgroup = {
  /** Ends all that is left in it, and it. Answers whether it ran out of its memory. */
  end(): Promise<{ readonly ranOutOfMemory: boolean }>;
};

const periodUs = 100_000;

/** Undefined, with a word in the log, where there is no systemd, no root or no delegated cgroup v2. */
export async function openCgroups(log: Log): Promise<Cgroups | undefined> {
  try {
    if (process.getuid?.() !== 0) throw new Error("the worker is not root");
    await access("/run/systemd/system");
    const own = /^0::(\/.+\.service)$/m.exec(await readFile("/proc/self/cgroup", "utf8"))?.[1];
    if (own === undefined) throw new Error("the worker is no systemd service");
    return await cgroupsBelow(join("/sys/fs/cgroup", own), process.pid);
  } catch (error) {
    log("info", "jobs run without memory and CPU limits", {}, error);
    return undefined;
  }
}

/** A cgroup with children of its own may hold no processes, so the worker moves into one too. */
export async function cgroupsBelow(root: string, workerPid: number): Promise<Cgroups> {
  const own = join(root, "worker");
  await mkdir(own, { recursive: true });
  await writeFile(join(own, "cgroup.procs"), String(workerPid));
  await writeFile(join(root, "cgroup.subtree_control"), "+cpu +memory");
  return {
    async hold(name, pid, limits) {
      const folder = join(root, name);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "memory.max"), String(Math.ceil(limits.memoryGiB * 1024 ** 3)));
      await writeFile(join(folder, "memory.oom.group"), "1");
      await writeFile(join(folder, "cpu.max"), `${Math.ceil(limits.vcpus * periodUs)} ${periodUs}`);
      await writeFile(join(folder, "cgroup.procs"), String(pid));
      return { end: () => end(folder) };
    },
  };
}

async function end(folder: string): Promise<{ readonly ranOutOfMemory: boolean }> {
  const events = await readFile(join(folder, "memory.events"), "utf8").catch(() => "");
  await writeFile(join(folder, "cgroup.kill"), "1");
  // Busy while the last of it goes; one that stays empty behind costs nothing.
  await rmdir(folder).catch(() => undefined);
  return { ranOutOfMemory: /^oom_kill [1-9]/m.test(events) };
}
