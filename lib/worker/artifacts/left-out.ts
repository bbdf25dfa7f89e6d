import { artifactName } from "../../../events/artifacts/artifact-name.ts";
import type { Manifest } from "../../../events/artifacts/upload.ts";

type Entry = Manifest["leftOut"][number];

const longestPath = 4_000;

/** Entries that exist but are not kept, and why. The first `most` are listed by name, and further ones are counted. */
export class LeftOut {
  readonly #most: number;
  readonly #entries: Entry[] = [];
  #more = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(name: Uint8Array, because: string): void {
    if (this.#entries.length < this.#most) this.#entries.push({ path: shown(name), because });
    else this.#more += 1;
  }

  /** The fields of the manifest that list them. */
  get listed(): Pick<Manifest, "leftOut" | "leftOutMore"> {
    const byPath = (a: Entry, b: Entry): number => (a.path < b.path ? -1 : 1);
    return { leftOut: this.#entries.toSorted(byPath), ...(this.#more > 0 ? { leftOutMore: this.#more } : {}) };
  }
}

function shown(name: Uint8Array): string {
  const { path } = artifactName(name);
  return path.length <= longestPath ? path : `${path.slice(0, longestPath).toWellFormed()}…`;
}
