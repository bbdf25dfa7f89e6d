import { createReadStream, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import pMap from "p-map";
import { s3Refusal } from "../../../events/s3-refusal.ts";
import type { DatasetFile, DatasetFiles, NotDone, StoredFile } from "../../aws/datasets/dataset-files.ts";
import type { DatasetRef } from "../../model/dataset.ts";
import { FleetError } from "../../model/fleet-error.ts";

/** The most files that are compared and sent at a time. */
const concurrency = 8;
/** After this many failures, the other files are not tried. */
const maxFailures = 100;

export type SyncOrder = {
  readonly of: DatasetRef;
  readonly folder: string;
  /** Paths of the folder's files, with `/`. */
  readonly paths: readonly string[];
  /** Whether files that are no longer in the folder are removed from the dataset. */
  readonly remove: boolean;
  /** Whether to change nothing. */
  readonly dryRun: boolean;
  readonly onProgress: (detail: Progress) => void;
};

export type Progress = { readonly files: number; readonly bytes: number };

export type Synced = {
  /** In a dry run, those that would be. */
  readonly uploaded: readonly string[];
  readonly uploadedBytes: number;
  readonly unchanged: number;
  /** In a dry run, those that would be. */
  readonly removed: readonly string[];
  /** No longer in the folder, but still in the dataset. */
  readonly remaining: readonly string[];
  readonly failed: readonly NotDone[];
  /** Not tried, because too many had failed. */
  readonly untried: number;
};

/**
 * Makes a dataset's files equal to those of the folder. Files that are already there are not sent, so a repeated sync resumes one that
 * was interrupted. If a file fails, the others are still sent, but nothing is removed, and the result names the failures.
 */
export async function syncFiles(files: DatasetFiles, order: SyncOrder): Promise<Synced> {
  const stored = new Map((await files.list(order.of)).map((file) => [file.path, file]));
  const local = new Set(order.paths);
  const gone = [...stored.keys()].filter((path) => !local.has(path)).sort();
  const sync = new Sync(files, order);
  await pMap(order.paths, (path) => sync.one(path, stored.get(path)), { concurrency });

  const removes = order.remove && sync.failed.length === 0;
  const kept = removes && !order.dryRun && gone.length > 0 ? await files.remove(order.of, gone) : [];
  const keptPaths = new Set(kept.map(({ path }) => path));
  return {
    ...sync.done(),
    removed: removes ? gone.filter((path) => !keptPaths.has(path)) : [],
    remaining: removes ? [...keptPaths] : gone,
    failed: [...sync.failed, ...kept.map(({ path, because }) => ({ path, because: `it could not be removed: ${because}` }))],
  };
}

class Sync {
  readonly #files: DatasetFiles;
  readonly #order: SyncOrder;
  readonly #uploaded: string[] = [];
  #uploadedBytes = 0;
  #unchanged = 0;
  #untried = 0;
  #passedBytes = 0;
  readonly failed: NotDone[] = [];

  constructor(files: DatasetFiles, order: SyncOrder) {
    this.#files = files;
    this.#order = order;
  }

  done(): Pick<Synced, "uploaded" | "uploadedBytes" | "unchanged" | "untried"> {
    return {
      uploaded: this.#uploaded.sort(),
      uploadedBytes: this.#uploadedBytes,
      unchanged: this.#unchanged,
      untried: this.#untried,
    };
  }

  async one(path: string, stored: StoredFile | undefined): Promise<void> {
    if (this.failed.length >= maxFailures) {
      this.#untried += 1;
      return;
    }
    try {
      await this.#compareAndSend(path, stored);
    } catch (error) {
      this.failed.push({ path, because: whyFailed(error) });
    }
    this.#reportProgress();
  }

  async #compareAndSend(path: string, stored: StoredFile | undefined): Promise<void> {
    const file = await fileAt(this.#order.folder, path);
    if (stored && (await this.#files.isSame(stored, file))) {
      this.#unchanged += 1;
      return;
    }
    const onBytes = (bytes: number): void => {
      this.#passedBytes += bytes;
      this.#reportProgress();
    };
    if (!this.#order.dryRun) await this.#files.put(this.#order.of, file, onBytes);
    this.#uploaded.push(path);
    this.#uploadedBytes += file.bytes;
  }

  #reportProgress(): void {
    this.#order.onProgress({ files: this.#uploaded.length + this.#unchanged + this.failed.length, bytes: this.#passedBytes });
  }
}

async function fileAt(folder: string, path: string): Promise<DatasetFile> {
  const place = join(folder, path);
  const found: Stats = await stat(place);
  if (!found.isFile()) throw new FleetError("no-file", "it is no longer a file");
  return { path, bytes: found.size, open: () => createReadStream(place) };
}

/** Returns why a file failed, as a text to follow its name. */
function whyFailed(error: unknown): string {
  if (error instanceof FleetError) return error.message;
  const { code, syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (syscall !== undefined && ["open", "read", "stat"].includes(syscall)) {
    if (code === "ENOENT") return "it no longer exists, or it is a broken link";
    return code === "EACCES" || code === "EPERM" ? "you have no permission to read it" : `it could not be read (${code})`;
  }
  const refusal = s3Refusal(error);
  return refusal.kind === "passing" ? `it could not be sent (${refusal.message})` : `S3 refused it (${refusal.message})`;
}
