import { readdir, readFile } from "node:fs/promises";
import { placeVariable } from "./job-environment.ts";

/**
 * Ends processes that left their attempt's process group, known by the folder that is named in their environment.
 * Only where there is /proc; the answer says how many were ended.
 */
export async function endStrays(folder: string): Promise<number> {
  let ended = 0;
  for (const pid of await strays(folder)) {
    try {
      process.kill(pid, "SIGKILL");
      ended++;
    } catch {
      // It ended on its own, just now.
    }
  }
  return ended;
}

/** Processes whose attempt folder is this one or lies below it. */
async function strays(folder: string): Promise<readonly number[]> {
  const mark = `${placeVariable}=${folder}`;
  const found: number[] = [];
  for (const name of await readdir("/proc").catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) continue;
    // Unreadable: it is over, or another user's, and so none of ours.
    const variables = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (variables.split("\0").some((variable) => variable === mark || variable.startsWith(`${mark}/`))) found.push(pid);
  }
  return found;
}
