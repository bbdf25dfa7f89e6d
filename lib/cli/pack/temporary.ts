import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../../model/fault.ts";
import { errorCode } from "./disk.ts";

/** Makes a folder for the time of the work. Throws Faults that say what to do where the system's temporary folder is of no use. */
export async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-pack-")).catch(failTemporary);
  // Ctrl-C ends the process in the middle.
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await work(folder);
  } finally {
    remove();
    process.off("exit", remove);
  }
}

const useAnother = "set TMPDIR to a folder with room for the archive";

/** Throws what a write to the temporary folder ended with, in words that say what to do. */
export function failTemporary(error: unknown): never {
  throw inWords(error);
}

function inWords(error: unknown): unknown {
  const fault = (why: string): Fault => new Fault("temporary-folder", why, { cause: error });
  switch (errorCode(error) ?? "") {
    case "ENOSPC":
    case "EDQUOT":
      return fault(`the temporary folder ${tmpdir()} is full; make room there, or ${useAnother}`);
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return fault(`nothing can be written to the temporary folder ${tmpdir()}; ${useAnother}`);
    case "ENOENT":
    case "ENOTDIR":
      return fault(`there is no temporary folder ${tmpdir()}; make it, or ${useAnother}`);
    default:
      return error;
  }
}
