import { chmod, chown, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { JobId, TeamName } from "../../../events/job.ts";
import { jsonOf } from "../../../events/json.ts";
import type { AttemptRef } from "../../model/job.ts";
import { signalGroup, type User } from "../program/program.ts";
import { endStrays } from "./strays.ts";

/** Where one attempt lives: ROOT/attempts/TEAM/JOB/N. */
export type AttemptFolder = {
  readonly root: string;
  /** The job's working directory. */
  readonly work: string;
  readonly tmp: string;
  /** Where the archive is kept while it is unpacked; out of the job's reach. */
  readonly archive: string;
};

const attemptsIn = (root: string): string => join(root, "attempts");

export function folderOf(root: string, ref: AttemptRef): AttemptFolder {
  const folder = join(attemptsIn(root), ref.team, ref.job, String(ref.attempt));
  return { root: folder, work: join(folder, "work"), tmp: join(folder, "tmp"), archive: join(folder, "code.tar.gz") };
}

/** Makes it, empty. The job's user owns what the job may write, and nothing else. */
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

/** Notes which process group runs here, so that a worker that comes after a crash can end it. */
export async function noteProgram(folder: AttemptFolder, pid: number): Promise<void> {
  await writeFile(startedFile(folder.root), JSON.stringify({ pid, birth: await birthOf(pid) }), { mode: 0o600 });
}

/**
 * Ends and removes whatever an earlier process of the worker left. Answers which attempts those were: they are over.
 * A process number that somebody else has by now is left alone.
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
  await endStrays(attempts);
  await rm(attempts, { recursive: true, force: true, maxRetries: 3 });
  return left;
}

async function endProgram(folder: string): Promise<void> {
  const text = await readFile(startedFile(folder), "utf8").catch(() => "");
  if (text === "") return;
  // A file half written when the machine went down is no note.
  const started = Started.safeParse(jsonOf(text));
  if (!started.success) return;
  const { pid, birth } = started.data;
  if (birth !== "" && (await birthOf(pid)) === birth) signalGroup(pid, "SIGKILL");
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** What tells a process from a later one with its number: the boot and the tick it started in. Empty where there is no /proc. */
async function birthOf(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile("/proc/sys/kernel/random/boot_id", "utf8")]);
    // Field 22, counted behind the name, which may hold spaces and parentheses.
    const startTick = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    return `${boot.trim()}/${startTick}`;
  } catch {
    return "";
  }
}
