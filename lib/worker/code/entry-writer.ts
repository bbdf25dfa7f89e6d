import type { Stats } from "node:fs";
import { chmod, type FileHandle, lchown, link, lstat, mkdir, open, symlink, unlink } from "node:fs/promises";
import { inside } from "../../model/files/archive-entry.ts";
import { printable } from "../../model/files/byte-name.ts";
import type { User } from "../program/user.ts";
import { refused } from "./refused-archive.ts";
import type { TarEntry } from "./tar-reader.ts";

type WriterOptions = { readonly folder: string; readonly owner: User | undefined; readonly maxFolders: number };

/**
 * Returns a function that writes entries below a folder, which must be empty at first. The entries must have been inspected, so that no
 * path leads through a link. As in tar, an entry replaces an earlier one at its path, unless one of them is a folder. Throws a FleetError if
 * entries contradict each other.
 */
export function entryWriter({ folder, owner, maxFolders }: WriterOptions): (entry: TarEntry) => Promise<void> {
  const top = Buffer.from(`${folder}/`).toString("latin1");
  /** Returns an absolute path as bytes. `path` is below the folder and has one character per byte. */
  const at = (path: string): Buffer => Buffer.from(top + path, "latin1");
  const folders = new Set([""]);

  async function makeFolder(path: string): Promise<void> {
    if (folders.has(path)) return;
    await makeFolder(parentOf(path));
    try {
      await mkdir(at(path), 0o755);
      if (owner) await lchown(at(path), owner.uid, owner.gid);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      if (!(await lstat(at(path))).isDirectory()) throw refused(`it contains "${printable(path)}" as a folder and also as something else`);
    }
    folders.add(path);
    // The limit is checked here because a single path may create many folders.
    if (folders.size > maxFolders) throw refused(`it has more than ${maxFolders} folders`);
  }

  /** Makes a file or link, and replaces an earlier one at its path. */
  async function put<T>(path: string, make: (file: Buffer) => Promise<T>): Promise<T> {
    await makeFolder(parentOf(path));
    try {
      return await make(at(path));
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const there: Stats = await lstat(at(path));
    if (there.isDirectory()) throw refused(`it contains "${printable(path)}" as a folder and also as something else`);
    await unlink(at(path));
    return make(at(path));
  }

  async function writeFile(path: string, entry: TarEntry): Promise<void> {
    const file = await put(path, (name) => open(name, "wx", 0o600));
    try {
      for await (const part of entry.body()) await writeAll(file, part);
      if (owner) await file.chown(owner.uid, owner.gid);
      // Set-uid, set-gid and sticky bits must not be kept.
      await file.chmod(entry.mode & 0o777);
      if (entry.mtime !== undefined && entry.mtime > 0 && entry.mtime < latestSecond) await file.utimes(entry.mtime, entry.mtime);
    } finally {
      await file.close();
    }
  }

  return async (entry) => {
    const path = inside(entry.path) ?? "";
    const linkpath = entry.linkpath ?? "";
    switch (entry.type) {
      case "Directory":
      case "GNUDumpDir":
        await makeFolder(path);
        // The owner always gets full access, because the job works in its folders and the worker removes them.
        if (path !== "") await chmod(at(path), (entry.mode & 0o777) | 0o700);
        break;
      case "SymbolicLink":
        await put(path, (name) => symlink(Buffer.from(linkpath, "latin1"), name));
        if (owner) await lchown(at(path), owner.uid, owner.gid);
        break;
      case "Link": {
        const target = inside(linkpath) ?? "";
        if (target === path) break;
        await put(path, (name) => link(at(target), name)).catch((error: unknown) => {
          const gone = codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR" || codeOf(error) === "EPERM";
          throw gone ? refused(`the link "${printable(path)}" refers to "${printable(target)}", but no earlier file has that name`) : error;
        });
        break;
      }
      default:
        await writeFile(path, entry);
    }
  };
}

/** Later than any real time stamp. Later times are ignored, because file systems accept times only up to some bound. */
const latestSecond = 2 ** 33;

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);
