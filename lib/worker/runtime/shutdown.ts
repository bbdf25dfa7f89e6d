import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Log } from "./log.ts";

/** Runs the command that ends the instance; answers whether it was taken. */
export async function shutDown(command: string, log: Log): Promise<boolean> {
  try {
    await promisify(execFile)("/bin/sh", ["-c", command], { timeout: 60_000 });
    return true;
  } catch (error) {
    log("error", "the instance could not be shut down", {}, error);
    return false;
  }
}
