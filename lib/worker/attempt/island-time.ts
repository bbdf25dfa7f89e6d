import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { writeWhole } from "../runtime/whole-file.ts";
import { type IslandTime, lookEveryMs } from "./island.ts";

const ms = z.number().min(0);
/** The node's time as an island. It is on the disk, so that a worker that crashes again and again cannot extend it. */
const Kept = z.object({ version: z.literal(1), unansweredMs: ms, idleMs: ms, islandMs: ms.optional() });

const fileIn = (folder: string): string => join(folder, "island.json");

/**
 * Returns what earlier processes of the worker have counted, and writes it with a minute added, because the last of them may have ended that long
 * after it wrote. So every restart makes the time shorter, never longer. Only time in which the machine is on counts, as it alone is paid for.
 */
export async function openIslandTime(folder: string, log: WorkerLog): Promise<IslandTime> {
  const kept = Kept.safeParse(jsonOf(await readFile(fileIn(folder), "utf8").catch(() => "")));
  const { unansweredMs = 0, idleMs = 0, islandMs } = kept.data ?? {};
  const moreMs = kept.success ? lookEveryMs : 0;
  const time = { unansweredMs: unansweredMs + moreMs, idleMs: idleMs + moreMs, ...(islandMs !== undefined && { islandMs }) };
  await writeTime(folder, log, time);
  return time;
}

/** Returns what writes the node's time as an island to the disk, one after the other. */
export function islandTimeOnDisk(folder: string, log: WorkerLog): (time: IslandTime) => void {
  let last = Promise.resolve();
  return (time) => {
    last = last.then(() => writeTime(folder, log, time));
  };
}

/** It never throws: if the disk is full, the time counts from this process's start. */
async function writeTime(folder: string, log: WorkerLog, time: IslandTime): Promise<void> {
  try {
    await writeWhole(fileIn(folder), JSON.stringify({ version: 1, ...time }));
  } catch (error) {
    log("warn", "island time not kept", {}, error);
  }
}
