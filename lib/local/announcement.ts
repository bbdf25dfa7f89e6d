import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { jsonOf } from "../../events/json.ts";
import { isAlive } from "./run/run-folder.ts";

/** A local cloud of this user, as the `fleet` command finds it. */
export const Announcement = z.object({
  endpoint: z.url(),
  pid: z.int(),
  startedAt: z.iso.datetime(),
  /** The folder of its logs. */
  runFolder: z.string().optional(),
  /** Undefined while it runs, and if it was killed. */
  endedAt: z.iso.datetime().optional(),
});
export type Announcement = z.infer<typeof Announcement>;

/** The local clouds of this user. */
export type Clouds = {
  /** Those whose process runs, newest first. Commands use the first one. */
  readonly running: readonly Announcement[];
  /** The newest one that has ended or was killed. */
  readonly last?: Announcement | undefined;
};

const cloudsIn = (folder: string): string => join(folder, "clouds");
const fileOf = (folder: string, pid: number): string => join(cloudsIn(folder), `${pid}.json`);

/**
 * Records where the local cloud of this process is. `close` records that it has ended. The record is kept, because a command that
 * used this cloud must then fail instead of calling AWS.
 */
export async function announce(
  folder: string,
  at: { readonly endpoint: string; readonly runFolder?: string },
): Promise<{ close(): Promise<void> }> {
  const own: Announcement = { ...at, pid: process.pid, startedAt: new Date().toISOString() };
  await mkdir(cloudsIn(folder), { recursive: true });
  await forgetEnded(folder);
  await write(folder, own);
  return { close: () => write(folder, { ...own, endedAt: new Date().toISOString() }) };
}

async function write(folder: string, announcement: Announcement): Promise<void> {
  const file = fileOf(folder, announcement.pid);
  const fresh = `${file}.fresh`;
  await writeFile(fresh, JSON.stringify(announcement));
  await rename(fresh, file);
}

/** Deletes the records of clouds that have ended, because a new cloud replaces them. */
async function forgetEnded(folder: string): Promise<void> {
  for (const each of await all(folder)) if (!isRunning(each)) await rm(fileOf(folder, each.pid), { force: true });
}

/** Returns the local clouds that were announced in a folder. */
export async function readClouds(folder: string): Promise<Clouds> {
  const clouds = await all(folder);
  return { running: clouds.filter(isRunning), last: clouds.find((each) => !isRunning(each)) };
}

const isRunning = ({ pid, endedAt }: Announcement): boolean => endedAt === undefined && isAlive(pid);

/** Returns all records, newest first. */
async function all(folder: string): Promise<Announcement[]> {
  const names = await readdir(cloudsIn(folder)).catch(unlessMissing([]));
  const texts = names
    .filter((name) => /^\d+\.json$/.test(name))
    .map((name) => readFile(join(cloudsIn(folder), name), "utf8").catch(unlessMissing("")));
  const read = (await Promise.all(texts)).flatMap((text) => Announcement.safeParse(jsonOf(text)).data ?? []);
  return read.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt) || b.pid - a.pid);
}

/** Ignores a missing file only. An unreadable file must not count as missing, because a command would then call AWS. */
const unlessMissing =
  <T>(none: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT") return none;
    throw error;
  };
