/** What the operating system's codes for a file mean, as the end of a sentence that begins with the file's name. */
const meanings: Readonly<Record<string, string>> = {
  EACCES: "may not be read or written by you: its permissions, or those of a folder above it, forbid it",
  EPERM: "may not be changed by you: the system forbids it",
  EISDIR: "is a folder, and a file is wanted",
  ENOTDIR: "lies below something that is a file and no folder",
  ENOENT: "is not there",
  EROFS: "cannot be written: the file system is read-only",
  ENOSPC: "cannot be written: no space is left on the disk",
  EDQUOT: "cannot be written: your disk quota is used up",
  EMFILE: "cannot be opened: too many files are open",
  ENAMETOOLONG: "has too long a name",
  ELOOP: "is a link that leads back to itself",
  EEXIST: "is there already",
  ENOTEMPTY: "is a folder that is not empty",
  EIO: "cannot be read or written: the disk reports an error",
};

/** What went wrong with a file, in words; undefined for an error that is not the file system's. */
export function fileWords(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const meaning = meaningOf(error.code);
  if (meaning === undefined) return undefined;
  return `${"path" in error && typeof error.path === "string" ? error.path : "a file"} ${meaning}`;
}

/** What a code means; undefined for one that is not known. */
export const meaningOf = (code: unknown): string | undefined => meanings[String(code)];
