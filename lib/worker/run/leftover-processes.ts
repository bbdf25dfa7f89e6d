import { readdir, readFile } from "node:fs/promises";
import { placeVariable } from "./job-environment.ts";

/**
 * Kills processes that left their attempt's process group. It finds them by the folder in their environment, so it needs /proc.
 * Returns how many it killed.
 */
export async function endLeftovers(folder: string): Promise<number> {
  let ended = 0;
  for (const pid of await leftovers(folder)) {
    try {
      process.kill(pid, "SIGKILL");
      ended++;
    } catch {
      // It has just ended on its own.
    }
  }
  return ended;
}

/** Returns the processes whose attempt folder is this one or below it. */
async function leftovers(folder: string): Promise<readonly number[]> {
  const mark = `${placeVariable}=${folder}`;
  const found: number[] = [];
  for (const name of await readdir("/proc").catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) continue;
    // If it cannot be read, the process has ended or belongs to another user, so it is not a job's.
    const variables = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (variables.split("\0").some((variable) => variable === mark || variable.startsWith(`${mark}/`))) found.push(pid);
  }
  return found;
}

/** Returns those process groups that have processes. A process that has ended and that its parent has not noticed yet does not count. */
export async function groupsThere(groups: readonly number[]): Promise<readonly number[]> {
  if (groups.length === 0) return [];
  const there = new Set<number>();
  for (const name of (await readdir("/proc").catch(() => [])).filter((each) => /^[0-9]+$/.test(each))) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // Fields are counted after the name, because the name may contain spaces and parentheses: state, parent, group.
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state !== undefined && state !== "Z" && state !== "X") there.add(Number(group));
  }
  return groups.filter((group) => there.has(group));
}
