import { chmod, chown, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { JobId, TeamName } from "../../../events/job.ts";
import { jsonOf } from "../../../events/json.ts";
import type { AttemptRef } from "../../model/job.ts";
import { signalGroup, type User } from "../program/program.ts";
import { endLeftovers } from "./leftover-processes.ts";

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

/**
 * Ends the processes and removes the files that an earlier process of the worker left. Returns the attempts that they belonged to. If
 * another process has taken over a recorded process id, it is not signalled.
 */
export async function clearLeftovers(root: string): Promise<readonly AttemptRef[]> {
  const attempts = attemptsIn(root);
  const left: AttemptRef[] = [];
  for (const team of await names(attempts)) {
    for (const job of await names(join(attempts, team))) {
      for (const number of await names(join(attempts, team, job))) {
        await endProgram(join(attempts, team, job, number));
        const attempt = Number(number);
        if (TeamName.safeParse(team).success && JobId.safeParse(job).success && Number.isInteger(attempt))
          left.push({ team, job, attempt });
      }
    }
  }
  await endLeftovers(attempts);
  await rm(attempts, { recursive: true, force: true, maxRetries: 3 });
  return left;
}

async function endProgram(folder: string): Promise<void> {
  const text = await readFile(startedFile(folder), "utf8").catch(() => "");
  if (text === "") return;
  // The file may be incomplete if the machine went down while it was written.
  const started = Started.safeParse(jsonOf(text));
  if (!started.success) return;
  const { pid, birth } = started.data;
  if (birth !== "" && (await birthOf(pid)) === birth) signalGroup(pid, "SIGKILL");
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
