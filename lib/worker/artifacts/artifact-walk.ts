import type { Dirent, Stats } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { artifactName } from "../../../events/artifacts/artifact-name.ts";
import type { ArtifactFile } from "./artifact-file.ts";
import type { ArtifactLimits } from "./artifact-limits.ts";
import type { LeftOut } from "./left-out.ts";
import { coveringRequests, endedAt, type MatchProgress, type Request, step } from "./requests.ts";

const slash = Buffer.from("/");
/** How long the walk may block the event loop. The worker must also renew the node's lease, so it cannot wait for slow globs. */
const longestTurnMs = 20;

type Folder = {
  /** Its real path. */
  readonly place: Buffer;
  /** Its path below the working directory; empty for the working directory itself. */
  readonly name: Buffer;
  readonly progress: MatchProgress;
  /** Real paths of the folders that led here. */
  readonly above: readonly Buffer[];
};

type Entry = { readonly name: Buffer; readonly progress: MatchProgress; readonly kind: "file" | "folder" | "link" | "other" };

/**
 * Finds the files below a working directory that the job asks for. It visits paths in order, so that a limit always cuts at the same
 * place. It never fails because of a file: a file that cannot be kept is left out with the reason.
 */
export class ArtifactWalk {
  readonly files: ArtifactFile[] = [];
  /** The requests that matched anything, whether or not it could be kept. */
  readonly met = new Set<Request>();
  readonly #root: Buffer;
  readonly #limits: ArtifactLimits;
  readonly #leftOut: LeftOut;
  #bytes = 0;
  #seen = 0;
  #matchedMs = 0;
  #turnMs = 0;

  /** `root` is the real path of the working directory. */
  constructor(root: Buffer, limits: ArtifactLimits, leftOut: LeftOut) {
    this.#root = root;
    this.#limits = limits;
    this.#leftOut = leftOut;
  }

  async walk(progress: MatchProgress): Promise<void> {
    if (progress.size > 0) await this.#folder({ place: this.#root, name: Buffer.alloc(0), progress, above: [] });
  }

  async #folder(folder: Folder): Promise<void> {
    this.#meet(folder.progress);
    for (const entry of await this.#entriesOf(folder)) {
      const name = folder.name.length === 0 ? entry.name : Buffer.concat([folder.name, slash, entry.name]);
      await this.#entry(folder, { ...entry, name }, Buffer.concat([folder.place, slash, entry.name]));
    }
  }

  /** Returns the entries that requests may match, in order. A folder is sorted by its name with a slash, as in the paths below it. */
  async #entriesOf(folder: Folder): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    let isCut = false;
    try {
      // The casts are needed because Node's types allow neither a path of bytes nor entries with names of bytes.
      const options = { encoding: "buffer", bufferSize: 1_000 } as unknown as { encoding: "utf8" };
      for await (const found of (await opendir(folder.place as unknown as string, options)) as AsyncIterable<unknown>) {
        const { name, kind } = readEntry(found as Dirent<Buffer>);
        this.#seen += 1;
        const progress = await this.#step(folder.progress, name);
        isCut = this.#matchedMs > this.#limits.matchMs || this.#seen > this.#limits.entries;
        if (!isCut && progress.size === 0) continue;
        isCut ||= entries.length >= this.#limits.inFolder;
        if (isCut) break;
        const kept = kind === "folder" || kind === "link" ? progress : endedAt(progress);
        if (kept.size > 0) entries.push({ name, kind, progress: kept });
      }
    } catch {
      this.#leaveOut(folder, "it cannot be read");
    }
    if (isCut) this.#leaveOut(folder, "it has too many entries, or the globs take too long to match, so a part of it was not searched");
    const key = ({ name, kind }: Entry): Buffer => (kind === "folder" ? Buffer.concat([name, slash]) : name);
    return entries.sort((a, b) => Buffer.compare(key(a), key(b)));
  }

  async #step(progress: MatchProgress, name: Buffer): Promise<MatchProgress> {
    const startedMs = performance.now();
    const next = step(progress, { bytes: name.toString("latin1"), text: name.toString() });
    const tookMs = performance.now() - startedMs;
    this.#matchedMs += tookMs;
    this.#turnMs += tookMs;
    if (this.#turnMs > longestTurnMs) {
      await turn();
      this.#turnMs = 0;
    }
    return next;
  }

  async #entry(folder: Folder, entry: Entry, place: Buffer): Promise<void> {
    if (entry.kind === "folder") return this.#below(folder, entry, place);
    if (entry.kind !== "link") return this.#end(entry, place);
    let target: Buffer;
    let info: Stats;
    try {
      target = await realpath(place, { encoding: "buffer" });
      info = await stat(target);
    } catch {
      return this.#leaveOut(entry, "it is a broken link");
    }
    if (!this.#isInside(target)) return this.#leaveOut(entry, "it is a link to a path outside the working directory");
    if (!info.isDirectory()) return this.#end(entry, target);
    const around = [...folder.above, folder.place];
    if (around.some((each) => each.equals(target))) return this.#leaveOut(entry, "it is a link to a folder that contains it");
    return this.#below(folder, entry, target);
  }

  #below({ above, place: from }: Folder, { name, progress }: Entry, place: Buffer): Promise<void> | void {
    if (this.#isTooLong(name)) return this.#leaveOut({ name, progress }, this.#tooLong);
    return this.#folder({ place, name, progress, above: [...above, from] });
  }

  async #end(entry: Entry, place: Buffer): Promise<void> {
    const requests = coveringRequests(entry.progress);
    if (requests.length === 0) return;
    let info: Stats;
    try {
      info = await stat(place);
    } catch {
      return this.#leaveOut(entry, "it cannot be read");
    }
    const why = this.#whyNot(entry.name, info);
    if (why !== undefined) return this.#leaveOut(entry, why);
    this.#meet(entry.progress);
    this.#bytes += info.size;
    const { dev, ino, size: bytes, mode } = info;
    this.files.push({
      ...artifactName(entry.name),
      name: entry.name,
      place,
      bytes,
      mode: mode & 0o777,
      identity: `${dev}/${ino}`,
      requests,
    });
  }

  #whyNot(name: Buffer, info: Stats): string | undefined {
    const { files, bytes } = this.#limits;
    if (!info.isFile()) return `it is ${kindOf(info)}`;
    if (this.#isTooLong(name)) return this.#tooLong;
    if (this.files.length >= files) return `only the first ${files.toLocaleString("en")} files are kept`;
    if (this.#bytes + info.size > bytes) return `with it, the files would exceed ${inWords(bytes)} in total`;
    return undefined;
  }

  get #tooLong(): string {
    return `its path is longer than ${this.#limits.path} bytes`;
  }

  #isTooLong(name: Buffer): boolean {
    return Buffer.byteLength(artifactName(name).path) > this.#limits.path;
  }

  #isInside(place: Buffer): boolean {
    if (place.equals(this.#root)) return true;
    const root = Buffer.concat([this.#root, slash]);
    return place.subarray(0, root.length).equals(root);
  }

  /** Records that an entry is left out. It is not recorded if globs merely pass through it, because then no request means it. */
  #leaveOut({ name, progress }: Pick<Entry, "name" | "progress">, because: string): void {
    const meant = [...coveringRequests(progress), ...[...progress.keys()].filter(({ isLiteral }) => isLiteral)];
    if (meant.length === 0) return;
    for (const request of meant) this.met.add(request);
    this.#leftOut.add(name.length === 0 ? Buffer.from("working directory") : name, because);
  }

  #meet(progress: MatchProgress): void {
    for (const request of coveringRequests(progress)) this.met.add(request);
  }
}

function readEntry(found: Dirent<Buffer>): Pick<Entry, "name" | "kind"> {
  const { name } = found;
  if (found.isDirectory()) return { name, kind: "folder" };
  if (found.isSymbolicLink()) return { name, kind: "link" };
  return { name, kind: found.isFile() ? "file" : "other" };
}

const GiB = 1024 ** 3;
const inWords = (bytes: number): string => (bytes >= GiB ? `${bytes / GiB} GiB` : `${bytes} bytes`);

function kindOf(info: Stats): string {
  if (info.isFIFO()) return "a named pipe (FIFO)";
  if (info.isSocket()) return "a socket";
  return info.isBlockDevice() || info.isCharacterDevice() ? "a device" : "not a regular file";
}
