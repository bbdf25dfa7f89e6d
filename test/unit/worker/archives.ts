import { writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { Header, type HeaderData } from "tar";

export type CraftedEntry = {
  readonly path: string;
  readonly type?: NonNullable<HeaderData["type"]>;
  readonly body?: string | Buffer;
  readonly linkpath?: string;
  readonly mode?: number;
  /** The size in the header, if it differs from the body's. */
  readonly claims?: number;
};

/** Writes a tar archive entry by entry, also in ways that no tar program would. */
export function craftTar(entries: readonly CraftedEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const body = Buffer.from(entry.body ?? "");
    const header = Buffer.alloc(512);
    new Header({
      path: entry.path,
      type: entry.type ?? "File",
      size: entry.claims ?? body.length,
      mode: entry.mode ?? 0o644,
      uid: 0,
      gid: 0,
      mtime: new Date(0),
      ...(entry.linkpath === undefined ? {} : { linkpath: entry.linkpath }),
      ...(entry.type === "CharacterDevice" ? { devmaj: 1, devmin: 3 } : {}),
    }).encode(header);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export const craftArchive = (entries: readonly CraftedEntry[]): Buffer => gzipSync(craftTar(entries));

export const writeArchive = (file: string, entries: readonly CraftedEntry[]): Promise<void> => writeFile(file, craftArchive(entries));
