/** The meanings of the operating system's error codes for files, as the end of a sentence that begins with the file's name. */
const meanings: Readonly<Record<string, string>> = {
  EACCES: "cannot be read or written: its permissions, or those of a folder above it, do not allow it",
  EPERM: "cannot be changed: the system does not allow it",
  EISDIR: "is a folder, and a file is expected",
  ENOTDIR: "is below something that is a file, not a folder",
  ENOENT: "is not there",
  EROFS: "cannot be written: the file system is read-only",
  ENOSPC: "cannot be written: no space is left on the disk",
  EDQUOT: "cannot be written: your disk quota is used up",
  EMFILE: "cannot be opened: too many files are open",
  ENAMETOOLONG: "has a name that is too long",
  ELOOP: "is a link that leads back to itself",
  EEXIST: "is there already",
  ENOTEMPTY: "is a folder that is not empty",
  EIO: "cannot be read or written: the disk reports an error",
};

/** Returns what went wrong with a file, in words, or undefined if the error is not from the file system. */
export function fileWords(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const meaning = meaningOf(error.code);
  if (meaning === undefined) return undefined;
  return `${"path" in error && typeof error.path === "string" ? error.path : "a file"} ${meaning}`;
}

/** Returns the meaning of an error code, or undefined if it is not known. */
export const meaningOf = (code: unknown): string | undefined => meanings[String(code)];
