import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FleetError } from "../../model/fleet-error.ts";
import { errorCode } from "./disk.ts";

/** Creates a folder for the duration of the work. Throws a FleetError that says what to do if the system's temporary folder is unusable. */
export async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-pack-")).catch(failTemporary);
  // Ctrl-C may end the process during the work.
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

/** Throws the error of a write to the temporary folder, as a FleetError that says what to do if possible. */
export function failTemporary(error: unknown): never {
  throw inWords(error);
}

function inWords(error: unknown): unknown {
  const fault = (why: string): FleetError => new FleetError("temporary-folder", why, { cause: error });
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
      return fault(`there is no temporary folder ${tmpdir()}; create it, or ${useAnother}`);
    default:
      return error;
  }
}
