import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { isAlive } from "./run-folder.ts";

const Announcement = z.object({ endpoint: z.url(), pid: z.number(), startedAt: z.iso.datetime() });
type Announcement = z.infer<typeof Announcement>;

const fileIn = (folder: string): string => join(folder, "local.json");

/** Writes down, for the `fleet` command, where the local cloud of this process is; the answer takes it away again, unless another came after, and brings back one that was there before and still runs. */
export async function announce(folder: string, endpoint: string): Promise<() => Promise<void>> {
  const before = await readAnnouncement(folder);
  const announcement: Announcement = { endpoint, pid: process.pid, startedAt: new Date().toISOString() };
  await write(folder, announcement);
  return async () => {
    if ((await readAnnouncement(folder))?.pid !== process.pid) return;
    if (before && isAlive(before.pid)) await write(folder, before);
    else await rm(fileIn(folder), { force: true });
  };
}

async function write(folder: string, announcement: Announcement): Promise<void> {
  const fresh = `${fileIn(folder)}.${process.pid}`;
  await writeFile(fresh, JSON.stringify(announcement));
  await rename(fresh, fileIn(folder));
}

/** Where the local cloud that was announced is; undefined when none was, or its process is gone. */
export async function readAnnouncement(folder: string): Promise<Announcement | undefined> {
  const text = await readFile(fileIn(folder), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { data } = Announcement.safeParse(JSON.parse(text));
  return data && isAlive(data.pid) ? data : undefined;
}
