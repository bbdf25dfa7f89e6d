import { accessSync, constants, type Dirent, lstatSync, readFileSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { readdir } from "node:fs/promises";

/**
 * A folder's files as packing reads them. Paths are bytes, one character each. What is asked for each file is synchronous:
 * for 50,000 files, awaiting it takes as many seconds as this takes tenths.
 */
export type Disk = {
  readonly list: (folder: string) => Promise<readonly Dirent[]>;
  /** Of a link itself. */
  readonly stat: (path: string) => Pick<Stats, "mode" | "size">;
  /** Throws if the caller may not read it. */
  readonly checkReadable: (path: string) => void;
  readonly read: (path: string) => string;
  readonly linkText: (path: string) => string;
  /** Where a path leads through all links; throws if it leads nowhere. */
  readonly resolve: (path: string) => string;
};

export const bytesOf = (path: string): Buffer => Buffer.from(path, "latin1");

/** A path as it was given, in text. */
export const pathOf = (text: string): string => Buffer.from(text).toString("latin1");

export const localDisk: Disk = {
  list: (folder) => readdir(bytesOf(folder), { withFileTypes: true, encoding: "latin1" }),
  stat: (path) => lstatSync(bytesOf(path)),
  checkReadable: (path) => accessSync(bytesOf(path), constants.R_OK),
  read: (path) => readFileSync(bytesOf(path), "latin1"),
  linkText: (path) => readlinkSync(bytesOf(path), "latin1"),
  resolve: (path) => realpathSync.native(bytesOf(path), "latin1"),
};

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

export const isDenied = (error: unknown): boolean => errorCode(error) === "EACCES" || errorCode(error) === "EPERM";
export const isGone = (error: unknown): boolean => errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR";
