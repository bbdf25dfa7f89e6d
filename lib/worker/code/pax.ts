import { refused } from "./refused-archive.ts";

/** The fields of a POSIX extended header that matter for the next entry. Strings have one character per byte. */
export type Extension = {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  readonly mtime?: number;
};

/** Reads an extended header. Throws a FleetError if the header is broken or describes a sparse file. */
export function extensionOf(body: Buffer): Extension {
  const records = recordsOf(body);
  for (const key of records.keys()) if (key.startsWith("GNU.sparse.") || key === "SCHILY.realsize") throw refused(sparse);
  const path = records.get("path");
  const linkpath = records.get("linkpath");
  const size = records.get("size");
  const mtime = records.get("mtime");
  // An empty value overrides a global header's. It can be ignored, because no value of a global header is used.
  return {
    ...(path && { path }),
    ...(linkpath && { linkpath }),
    ...(size && { size: sizeOf(size) }),
    ...(mtime && { mtime: Number(mtime) }),
  };
}

const broken = (): Error => refused("it contains a broken extended header; pack the folder again");

/** Reads records of the form `LENGTH KEY=VALUE`. Each ends with a line feed, and LENGTH counts the whole record. */
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

export const sparse = "it contains a sparse file, of which only parts are stored; pack it without sparse files (tar without -S)";

function sizeOf(text: string): number {
  const size = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw broken();
  return size;
}
