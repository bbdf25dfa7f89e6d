import { isDenied, isGone, type PackDisk } from "./disk.ts";
import { isEnvironment, isNeverPacked } from "./never-packed.ts";

/** The files that .gitignore excludes. They are reported, because people ignore data and weights that a job may need. */
export type Ignored = {
  readonly files: number;
  readonly bytes: number;
  /** Whether there are more files, which were not counted. */
  readonly more: boolean;
  /** The largest files, in descending order of size. */
  readonly largest: readonly IgnoredFile[];
};
export type IgnoredFile = { readonly path: string; readonly bytes: number };

export type CountLimits = { readonly entries: number; readonly ms: number };

/** Limits of counting, which must not take long, because it only informs. */
export const countLimits: CountLimits = { entries: 100_000, ms: 2_000 };

const named = 3;

/** Counts files and folders that are left out, within its limits. */
export class IgnoredCount {
  readonly #disk: PackDisk;
  readonly #root: string;
  readonly #limits: CountLimits;
  #entries = 0;
  #ms = 0;
  #files = 0;
  #bytes = 0;
  #more = false;
  #largest: readonly IgnoredFile[] = [];

  constructor(disk: PackDisk, root: string, limits: CountLimits) {
    this.#disk = disk;
    this.#root = root;
    this.#limits = limits;
  }

  get total(): Ignored {
    return { files: this.#files, bytes: this.#bytes, more: this.#more, largest: this.#largest };
  }

  async add(path: string, isFolder: boolean): Promise<void> {
    const startedMs = performance.now();
    await this.#add(path, isFolder, startedMs + this.#limits.ms - this.#ms);
    this.#ms += performance.now() - startedMs;
  }

  async #add(path: string, isFolder: boolean, untilMs: number): Promise<void> {
    if (this.#entries >= this.#limits.entries || performance.now() > untilMs) {
      this.#more = true;
      return;
    }
    this.#entries += 1;
    try {
      if (isFolder) await this.#addFolder(path, untilMs);
      else this.#addFile(path);
    } catch (error) {
      if (!isGone(error) && !isDenied(error)) throw error;
      this.#more = true;
    }
  }

  async #addFolder(path: string, untilMs: number): Promise<void> {
    const entries = await this.#disk.list(`${this.#root}/${path}`);
    if (isEnvironment(entries)) return;
    for (const entry of entries) {
      if (isNeverPacked(entry.name)) continue;
      await this.#add(`${path}/${entry.name}`, entry.isDirectory(), untilMs);
      if (this.#more) return;
    }
  }

  #addFile(path: string): void {
    const bytes = this.#disk.stat(`${this.#root}/${path}`).size;
    this.#files += 1;
    this.#bytes += bytes;
    this.#largest = [...this.#largest, { path, bytes }].toSorted((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).slice(0, named);
  }
}
