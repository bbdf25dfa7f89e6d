import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** Everything that a worker starts inherits it, with its folder or one below. */
export const folderVariable = "FLEETWRIGHT_FOLDER";

/** What one instance runs: its worker's process group, and whatever carries its folder in `folderVariable`. */
export type ProcessTree = { readonly group: number | undefined; readonly folder: string };

/** A process that is not over. */
type Running = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly started: string;
  /** What `folderVariable` says in its environment; empty where that cannot be seen. */
  readonly folder: string;
};

/**
 * Ends all of it: SIGTERM to the group, SIGKILL to what is left when the group is gone or the grace is over. Processes
 * that left the group are found as descendants and, where the system tells (Linux), by the folder in their environment.
 */
export async function endTree(tree: ProcessTree, graceMs: number): Promise<void> {
  const before = await membersOf(tree);
  if (tree.group !== undefined && graceMs > 0) {
    signal(-tree.group, "SIGTERM");
    // One that is stopped would not hear it.
    signal(-tree.group, "SIGCONT");
    await over(graceMs, async () => (await processes()).every((one) => one.group !== tree.group));
  }
  const known = new Set(before.map(identity));
  await over(killedMs, async () => {
    const left = (await processes()).filter((one) => known.has(identity(one)) || one.group === tree.group || within(tree.folder, one));
    for (const one of left) signal(one.pid, "SIGKILL");
    return left.length === 0;
  });
}

/** What SIGKILL takes until the process is no more. */
const killedMs = 2000;

/** Looks again and again, ever more slowly, until it is done or the time is over. */
async function over(withinMs: number, isDone: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + withinMs;
  for (let pauseMs = 10; !(await isDone()); pauseMs = Math.min(2 * pauseMs, 160)) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return;
    await sleep(Math.min(pauseMs, leftMs));
  }
}

/** Sends a signal to each process of the tree. */
export async function signalTree(tree: ProcessTree, name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): Promise<void> {
  for (const one of await membersOf(tree)) signal(one.pid, name);
}

/** A process id may be used again; with the time of its start it is one process. */
const identity = (one: Running): string => `${one.pid}@${one.started}`;

async function membersOf(tree: ProcessTree): Promise<readonly Running[]> {
  const all = await processes();
  const members = new Map<number, Running>();
  const add = (one: Running): void => {
    if (members.has(one.pid)) return;
    members.set(one.pid, one);
    for (const child of all) if (child.parent === one.pid) add(child);
  };
  for (const one of all) if (one.group === tree.group || within(tree.folder, one)) add(one);
  return [...members.values()];
}

const within = (folder: string, one: Running): boolean => one.folder === folder || one.folder.startsWith(`${folder}/`);

/** False when there is nobody to get it. */
function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM")) return false;
    throw error;
  }
}

const processes = (): Promise<readonly Running[]> => (process.platform === "linux" ? fromProc() : fromPs());

async function fromProc(): Promise<readonly Running[]> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const found = await Promise.all(pids.map((pid) => oneFromProc(pid)));
  return found.filter((one) => one !== undefined);
}

async function oneFromProc(pid: string): Promise<Running | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold anything, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Only its parent has yet to hear of its end.
    if (fields[0] === "Z") return undefined;
    // Another user's process hides it; that is none of ours.
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const mark = `${folderVariable}=`;
    const variable = environment.split("\0").find((one) => one.startsWith(mark));
    return {
      pid: Number(pid),
      parent: Number(fields[1]),
      group: Number(fields[2]),
      started: fields[19] ?? "",
      folder: variable?.slice(mark.length) ?? "",
    };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}

async function fromPs(): Promise<readonly Running[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,pgid=,lstart="], { timeout: 5000 });
  return stdout
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.+)$/.exec(line))
    .filter((line) => line !== null)
    .map(([, pid, parent, group, started = ""]) => ({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      started,
      folder: "",
    }));
}
