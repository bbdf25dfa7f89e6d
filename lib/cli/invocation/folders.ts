import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FleetError } from "../../model/fleet-error.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Whether this is the built command (`npm pack`), which runs without a checkout. */
export const isInstalled = !import.meta.url.endsWith(".ts");

/** The folder of package.json: the checkout, or the installed package, whose code is in `.build/cli`. */
export const packageRoot = resolve(here, isInstalled ? "../.." : "../../..");

/** The folder in which local clouds of a checkout keep their emulators and a folder per run. */
export const cloudFolder = resolve(process.env["FLEETWRIGHT_HOME"] || join(packageRoot, ".fleetwright"));

/**
 * Returns the folder in which this user's commands remember which local clouds run and which target `fleet use` set. It does not
 * depend on the checkout, so that an installed command finds the local cloud that a checkout runs.
 */
export function userFolder(environment: NodeJS.ProcessEnv = process.env, home: () => string = homedir): string {
  if (environment["FLEETWRIGHT_HOME"]) return resolve(environment["FLEETWRIGHT_HOME"]);
  return join(environment["XDG_STATE_HOME"] || join(homeOf(home), ".local", "state"), "fleetwright");
}

function homeOf(home: () => string): string {
  try {
    return home();
  } catch (cause) {
    throw new FleetError("state-folder", "this user has no home folder; set HOME, or FLEETWRIGHT_HOME to a folder that you may write to", {
      cause,
    });
  }
}

/** Creates the folder if it does not exist. Throws a FleetError if it is not writable. */
export async function makeWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw notWritable(folder, error);
  }
}

const words: Readonly<Record<string, string>> = {
  EACCES: "you have no permission to write there",
  EPERM: "you have no permission to write there",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "it is a file, not a folder",
  ENOENT: "its parent folder does not exist",
  ENOSPC: "the disk is full",
  EDQUOT: "your disk quota is used up",
};

/** Returns a FleetError that says why a folder is not writable, and what to do. */
export function notWritable(folder: string, error: unknown): FleetError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return new FleetError(
    "state-folder",
    `cannot write to ${folder}: ${words[code] ?? code}; set FLEETWRIGHT_HOME to a folder that you may write to`,
    { cause: error },
  );
}
