import { maxSkippedNamed, pathOf, type Shard, type Skipped, type Source, whyNoName } from "../../model/dataset.ts";

export type ListedObject = Shard & {
  /** The storage class of an object that cannot be read until it is restored. */
  readonly archived?: string | undefined;
};

/** Keys have up to 1,024 bytes. This is enough to find the object, and short enough for the dataset's item. */
const maxKeyLetters = 200;

/**
 * Sorts a source's objects into shards and objects that no job could read. They must be added in the order of their keys. If a
 * file and a folder have the same name, the folder's files are kept, because the file is often an empty marker left by a tool.
 */
export class ShardSorter {
  readonly #source: Source;
  readonly #shards: Shard[] = [];
  /** Paths that are a shard's file, and paths that are a shard's folder. */
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  /** Files that were replaced by a folder of the same name. */
  readonly #replaced = new Set<string>();
  readonly #skipped: { key: string; because: string }[] = [];
  #skips = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The number of objects added, without folder markers. */
  get objects(): number {
    return this.#shards.length - this.#replaced.size + this.#skips;
  }

  add({ archived, ...shard }: ListedObject): void {
    // Consoles create an empty object whose key ends in a slash as a folder.
    if (shard.key.endsWith("/") && shard.bytes === 0) return;
    const path = pathOf(this.#source, shard.key);
    const because =
      whyNoName(path) ?? (archived === undefined ? undefined : `is archived (${archived}); restore it, and add the dataset again`);
    if (because !== undefined) this.#skip(shard.key, because);
    else if (this.#folders.has(path)) this.#skip(shard.key, sharesFolderName);
    else this.#keep(path, shard);
  }

  sorted(): { readonly shards: readonly Shard[]; readonly skipped?: Skipped } {
    const shards = this.#shards.filter(({ key }) => !this.#replaced.has(pathOf(this.#source, key)));
    if (this.#skips === 0) return { shards };
    return { shards, skipped: { objects: this.#skips, examples: this.#skipped } };
  }

  #keep(path: string, shard: Shard): void {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      const folder = path.slice(0, at);
      this.#folders.add(folder);
      if (!this.#files.delete(folder)) continue;
      this.#replaced.add(folder);
      this.#skip(`${this.#source.prefix}${folder}`, sharesFolderName);
    }
    this.#files.add(path);
    this.#shards.push(shard);
  }

  #skip(key: string, because: string): void {
    this.#skips += 1;
    if (this.#skipped.length < maxSkippedNamed) this.#skipped.push({ key: shortened(key), because });
  }
}

const sharesFolderName = "is a file where other keys have a folder";

const shortened = (key: string): string => {
  const letters = [...key];
  return letters.length <= maxKeyLetters ? key : `${letters.slice(0, maxKeyLetters).join("")}…`;
};
