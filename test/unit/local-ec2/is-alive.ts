import { existsSync, readFileSync } from "node:fs";

/** Reports whether a process runs. A zombie is not alive. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !(existsSync(`/proc/${pid}/stat`) && /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
  } catch {
    return false;
  }
}
