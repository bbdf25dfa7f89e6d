import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** Every process that a worker starts inherits this variable. Its value is the worker's folder or a folder below it. */
export const folderVariable = "FLEETWRIGHT_FOLDER";

/** The processes of an instance: its worker's process group, and every process that has its folder in `folderVariable`. */
export type ProcessTree = { readonly group: number | undefined; readonly folder: string };

/** A process that has not ended. */
type Running = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly started: string;
  /** The value of `folderVariable` in its environment; empty if the environment cannot be read. */
  readonly folder: string;
};

/**
 * Ends all processes of the tree: sends SIGTERM to the group, then SIGKILL to the rest when the group has ended or the grace is
 * over. It finds processes that left the group as descendants and, on Linux, by the folder in their environment.
 */
export async function endTree(tree: ProcessTree, graceMs: number): Promise<void> {
  const before = await membersOf(tree);
  if (tree.group !== undefined && graceMs > 0) {
    signal(-tree.group, "SIGTERM");
    // A stopped process would not receive the SIGTERM.
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

/** How long a process may take to disappear after SIGKILL. */
const killedMs = 2000;

/** Checks at growing intervals until `isDone` returns true or the time is over. */
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

/** Returns a process's identity: its id with the time of its start, because ids are reused. */
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

/** Sends a signal, unless there is no such process or it may not be signalled. */
function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM")) return;
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
    // The name is in parentheses and may contain anything, so count from the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie: it has ended, and only its parent has not collected it yet.
    if (fields[0] === "Z") return undefined;
    // The environment of another user's process cannot be read, and such a process is not ours.
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
    // It ended during the read.
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
