import { refused } from "./refused-archive.ts";

/** What a POSIX extended header says of the entry behind it, as far as it matters; keys and values are bytes, one character each. */
export type Extension = {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  readonly mtime?: number;
};

/** Reads an extended header; throws a Fault for what would change what an entry holds. */
export function extensionOf(body: Buffer): Extension {
  const records = recordsOf(body);
  for (const key of records.keys()) if (key.startsWith("GNU.sparse.") || key === "SCHILY.realsize") throw refused(sparse);
  const path = records.get("path");
  const linkpath = records.get("linkpath");
  const size = records.get("size");
  const mtime = records.get("mtime");
  // An empty value takes back what a header for all entries says, of which nothing is used.
  return {
    ...(path && { path }),
    ...(linkpath && { linkpath }),
    ...(size && { size: sizeOf(size) }),
    ...(mtime && { mtime: Number(mtime) }),
  };
}

const broken = (): Error => refused("an extended header in it is broken; pack the folder again");

/** `LENGTH KEY=VALUE`, each with a line break at its end; the length counts all of it. */
function recordsOf(body: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const digits = /^(\d{1,9}) /.exec(body.toString("latin1", at, at + 10))?.[1] ?? "";
    const end = at + Number(digits);
    const text = body.toString("latin1", at + digits.length + 1, end);
    const equals = text.indexOf("=");
    if (digits === "" || end > body.length || equals < 1 || !text.endsWith("\n")) throw broken();
    records.set(text.slice(0, equals), text.slice(equals + 1, -1));
    at = end;
  }
  return records;
}

export const sparse = "it holds a sparse file, of which only parts are stored; pack it without that (tar without -S)";

function sizeOf(text: string): number {
  const size = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw broken();
  return size;
}
