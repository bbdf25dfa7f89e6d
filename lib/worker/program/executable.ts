import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, resolve } from "node:path";

/** `file` is absolute. The exit codes are those of a shell: 127 if not found, 126 if not executable. */
export type Executable =
  | { readonly kind: "found"; readonly file: string }
  | { readonly kind: "missing"; readonly exitCode: 126 | 127; readonly reason: string };

/** Finds a program as a shell in `folder` would find it. */
export async function findExecutable(command: string, from: { folder: string; path: string }): Promise<Executable> {
  const candidates = command.includes("/")
    ? [resolve(from.folder, command)]
    : from.path.split(delimiter).map((folder) => resolve(from.folder, folder, command));
  let seen = false;
  for (const file of candidates) {
    const found = await look(file);
    if (found === "executable") return { kind: "found", file };
    seen ||= found === "file";
  }
  if (seen) return { kind: "missing", exitCode: 126, reason: `"${command}" is not executable` };
  const where = command.includes("/") ? "in the job's working directory" : "on this node's PATH";
  return { kind: "missing", exitCode: 127, reason: `command not found: there is no "${command}" ${where}` };
}

async function look(file: string): Promise<"executable" | "file" | "nothing"> {
  try {
    if (!(await stat(file)).isFile()) return "nothing";
  } catch {
    return "nothing";
  }
  try {
    await access(file, constants.X_OK);
    return "executable";
  } catch {
    return "file";
  }
}
