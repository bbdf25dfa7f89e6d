import { existsSync, readFileSync } from "node:fs";

/** One that has ended and that nobody has buried yet is not alive. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !(existsSync(`/proc/${pid}/stat`) && /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
  } catch {
    return false;
  }
}
