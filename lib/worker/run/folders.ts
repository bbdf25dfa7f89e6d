import { chmod, chown, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";
import { JobId, TeamName } from "../../../events/names.ts";
import type { AttemptRef } from "../../model/job.ts";
import { signalGroup, type User } from "../program/program.ts";
import { endLeftovers, groupsThere } from "./leftover-processes.ts";

/** The folder of an attempt, ROOT/attempts/TEAM/JOB/N, and the paths in it. */
export type AttemptFolder = {
  readonly root: string;
  /** The job's working directory. */
  readonly work: string;
  readonly tmp: string;
  /** The code archive while it is unpacked. The job cannot reach it. */
  readonly archive: string;
};

const attemptsIn = (root: string): string => join(root, "attempts");

export function folderOf(root: string, ref: AttemptRef): AttemptFolder {
  const folder = join(attemptsIn(root), ref.team, ref.job, String(ref.attempt));
  return { root: folder, work: join(folder, "work"), tmp: join(folder, "tmp"), archive: join(folder, "code.tar.gz") };
}

/** Makes the attempt's folder, empty. The job's user owns only the folders that the job may write to. */
export async function makeFolder(folder: AttemptFolder, owner: User | undefined): Promise<void> {
  await rm(folder.root, { recursive: true, force: true });
  await mkdir(folder.root, { recursive: true });
  for (const path of [folder.work, folder.tmp]) {
    await mkdir(path);
    await chmod(path, 0o700);
    if (owner) await chown(path, owner.uid, owner.gid);
  }
}

export const removeFolder = (folder: AttemptFolder): Promise<void> => rm(folder.root, { recursive: true, force: true, maxRetries: 3 });

const Started = z.object({ pid: z.int().min(2), birth: z.string() });
const startedFile = (folder: string): string => join(folder, "program.json");

/** Records which process group runs the program, so that after a crash the next worker can end it. */
export async function recordProgram(folder: AttemptFolder, pid: number): Promise<void> {
  await writeFile(startedFile(folder.root), JSON.stringify({ pid, birth: await birthOf(pid) }), { mode: 0o600 });
}

export type LeftoverOptions = {
  /** Reports whether the files of a leftover must be kept. By default none are. */
  readonly isKept?: (ref: AttemptRef) => Promise<boolean>;
  /** Is called after each second in which killed processes are still there. */
  readonly onWait?: (processes: number) => void;
};

/**
 * Ends the processes that an earlier process of the worker left, waits until they are gone, and removes the files that need not be kept.
 * Returns the attempts that they belonged to. Only then may they be reported as over, because their jobs then run elsewhere. If another
 * process has taken over a recorded process id, it is not signalled.
 */
export async function clearLeftovers(root: string, { isKept, onWait }: LeftoverOptions = {}): Promise<readonly AttemptRef[]> {
  const attempts = attemptsIn(root);
  const left: AttemptRef[] = [];
  const groups: number[] = [];
  for await (const { folder, team, job, attempt } of foldersIn(attempts)) {
    const group = await endProgram(folder);
    if (group !== undefined) groups.push(group);
    if (isRef(team, job, attempt)) left.push({ team, job, attempt });
  }
  await untilGone(attempts, groups, onWait);
  await removeExcept(attempts, isKept ? await filtered(left, isKept) : []);
  return left;
}

/** Returns the attempts of which an earlier process of the worker has left a folder. */
export async function attemptsLeft(root: string): Promise<readonly AttemptRef[]> {
  const left: AttemptRef[] = [];
  for await (const { team, job, attempt } of foldersIn(attemptsIn(root))) if (isRef(team, job, attempt)) left.push({ team, job, attempt });
  return left;
}

const isRef = (team: string, job: string, attempt: number): boolean =>
  TeamName.safeParse(team).success && JobId.safeParse(job).success && Number.isInteger(attempt);

/** Reports whether an earlier process of the worker has run a container for one of the attempts that are still on this machine. */
export async function hasLeftContainers(root: string): Promise<boolean> {
  for await (const { folder } of foldersIn(attemptsIn(root))) if ((await names(folder)).includes(containerEnvFile)) return true;
  return false;
}

/** The file of a container's variables, in the attempt's folder. */
export const containerEnvFile = "container.env";

async function* foldersIn(attempts: string): AsyncGenerator<AttemptRef & { readonly folder: string }> {
  for (const team of await names(attempts))
    for (const job of await names(join(attempts, team)))
      for (const number of await names(join(attempts, team, job)))
        yield { team, job, attempt: Number(number), folder: join(attempts, team, job, number) };
}

const lookEveryMs = 100;

/** Kills what is left until nothing is. A killed process may need a while to end, for example in the driver of a GPU. */
async function untilGone(attempts: string, groups: readonly number[], onWait: LeftoverOptions["onWait"]): Promise<void> {
  for (let looks = 1; ; looks++) {
    const left = (await endLeftovers(attempts)) + (await groupsThere(groups)).length;
    if (left === 0) return;
    if (looks % (1_000 / lookEveryMs) === 0) onWait?.(left);
    await pause(lookEveryMs);
  }
}

async function filtered(refs: readonly AttemptRef[], isKept: (ref: AttemptRef) => Promise<boolean>): Promise<readonly AttemptRef[]> {
  const kept: AttemptRef[] = [];
  for (const ref of refs) if (await isKept(ref)) kept.push(ref);
  return kept;
}

/** Removes all folders of attempts, except those of these attempts. */
async function removeExcept(attempts: string, kept: readonly AttemptRef[]): Promise<void> {
  const paths = new Set(kept.flatMap(({ team, job, attempt }) => [team, join(team, job), join(team, job, String(attempt))]));
  const remove = async (below: string, depth: number): Promise<void> => {
    for (const name of await names(join(attempts, below))) {
      const path = join(below, name);
      if (!paths.has(path)) await rm(join(attempts, path), { recursive: true, force: true, maxRetries: 3 });
      else if (depth < 3) await remove(path, depth + 1);
    }
  };
  await remove("", 1);
}

/** Kills the group of a recorded program. Returns the group, or undefined if there is none of it. */
async function endProgram(folder: string): Promise<number | undefined> {
  const text = await readFile(startedFile(folder), "utf8").catch(() => "");
  if (text === "") return undefined;
  // The file may be incomplete if the machine went down while it was written.
  const started = Started.safeParse(jsonOf(text));
  if (!started.success) return undefined;
  const { pid, birth } = started.data;
  if (birth === "" || (await birthOf(pid)) !== birth) return undefined;
  signalGroup(pid, "SIGKILL");
  return pid;
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** Returns the boot and the tick at which a process started, which distinguish it from a later one with its id. Empty without /proc. */
async function birthOf(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile("/proc/sys/kernel/random/boot_id", "utf8")]);
    // Field 22. Fields are counted after the name, because the name may contain spaces and parentheses.
    const startTick = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    return `${boot.trim()}/${startTick}`;
  } catch {
    return "";
  }
}
