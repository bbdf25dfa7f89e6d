import { meaningOf } from "../../model/files/file-words.ts";
import { callerFolder } from "./caller-folder.ts";
import { UsageError } from "./exit.ts";

/**
 * Returns a UsageError for a file that the user named and that cannot be read, or the error unchanged if it is about something else.
 * `wanted` says what was expected, for example "a job file is expected".
 */
export function fileTrouble(error: unknown, file: string, wanted = "a file is expected"): unknown {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return error;
  if (error.code === "ENOENT")
    return new UsageError(`there is no file ${file} in ${callerFolder(process.env, process.cwd())}`, { cause: error });
  if (error.code === "EISDIR") return new UsageError(`${file} is a folder, and ${wanted}`, { cause: error });
  const meaning = meaningOf(error.code);
  return meaning === undefined ? error : new UsageError(`${file} ${meaning}`, { cause: error });
}
