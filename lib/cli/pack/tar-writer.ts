export const blockBytes = 512;

export type TarHead = {
  /** Bytes, one character per byte. A folder's path has no slash at the end. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly mode: number;
  readonly bytes: number;
  readonly target?: string;
};

const letters = { file: "0", folder: "5", link: "2" } as const;

/**
 * Returns the header blocks of an entry of a tar archive (POSIX ustar, or pax if that does not suffice). They have no owners and times,
 * so that the same folder always gives the same bytes. We do not use a library, because libraries for tar archives take names as text
 * and encode them as UTF-8, so they cannot write a name that is not UTF-8.
 */
export function headOf({ path, kind, mode, bytes, target = "" }: TarHead): Buffer {
  const full = kind === "folder" ? `${path}/` : path;
  const split = splitPath(full);
  const records: [string, string][] = [];
  if (split === undefined) records.push(["path", full]);
  if (target.length > 100) records.push(["linkpath", target]);
  if (bytes > maxOctal) records.push(["size", String(bytes)]);
  // If the path does not fit, the cut path must not end with a slash, which would make it a folder's.
  const block = blockOf(split ?? { name: full.slice(0, 100).replace(/\/+$/, ""), prefix: "" }, {
    letter: letters[kind],
    mode,
    bytes,
    target,
  });
  return records.length === 0 ? block : Buffer.concat([extension(records), block]);
}

/** Returns the padding after so many bytes, up to a whole block. */
export const paddingOf = (bytes: number): Buffer => Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes);

/** The end of an archive: exactly two blocks of zeros. The further zeros that some programs add to fill a tape record are not needed. */
export const endOfArchive = Buffer.alloc(2 * blockBytes);

/** The greatest number of eleven octal digits. */
const maxOctal = 8 ** 11 - 1;

type Split = { readonly name: string; readonly prefix: string };

/** Splits a path into the two fields of a header, or returns undefined if it does not fit. */
function splitPath(path: string): Split | undefined {
  if (path.length <= 100) return { name: path, prefix: "" };
  const at = path.indexOf("/", path.length - 101);
  if (at <= 0 || at > 155 || at === path.length - 1) return undefined;
  return { name: path.slice(at + 1), prefix: path.slice(0, at) };
}

function extension(records: readonly (readonly [string, string])[]): Buffer {
  // Like GNU tar, the header names no encoding: names are bytes, and the keyword for an encoding makes other programs complain.
  const body = Buffer.from(records.map(([key, value]) => recordOf(key, value)).join(""), "latin1");
  const block = blockOf({ name: "PaxHeader", prefix: "" }, { letter: "x", mode: 0o644, bytes: body.length, target: "" });
  return Buffer.concat([block, body, paddingOf(body.length)]);
}

/** Returns a record `LENGTH KEY=VALUE`, whose length includes its own digits. */
function recordOf(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

type Fields = { readonly letter: string; readonly mode: number; readonly bytes: number; readonly target: string };

function blockOf({ name, prefix }: Split, { letter, mode, bytes, target }: Fields): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(name, 0, "latin1");
  block.write(octal(mode, 7) + octal(0, 7) + octal(0, 7) + octal(bytes > maxOctal ? 0 : bytes, 11) + octal(0, 11), 100, "latin1");
  block.write(`        ${letter}`, 148, "latin1");
  block.write(target.slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(prefix, 345, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
