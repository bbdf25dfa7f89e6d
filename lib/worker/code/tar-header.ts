import { printable } from "../../model/files/byte-name.ts";
import { refused } from "./refused-archive.ts";

export const blockBytes = 512;

/** What one header block of a tar archive says, in whatever dialect; paths are bytes, one character each. */
export type TarHeader = {
  readonly path: string;
  /** The letter of its type; "0" for a file of the oldest archives as well. */
  readonly letter: string;
  readonly size: number;
  readonly mode: number;
  /** Seconds; undefined if there is none. */
  readonly mtime: number | undefined;
  readonly linkpath: string;
};

/** Reads a header; undefined for a block of zeros, which marks an archive's end. Throws a Fault for what is no header. */
export function headerOf(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!hasRightSum(block)) throw notTar();
  const name = textAt(block, 0, 100);
  // Only POSIX archives have the first part of a long path here; GNU's keep times in its place.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textAt(block, 345, 155) : "";
  const path = prefix === "" ? name : `${prefix}/${name}`;
  const size = numberAt(block, 124, 12) ?? 0;
  if (!Number.isSafeInteger(size) || size < 0) throw refused(`"${printable(path)}" has a size that is none`);
  return {
    path,
    letter: block[156] === 0 ? "0" : block.toString("latin1", 156, 157),
    size,
    mode: (numberAt(block, 100, 8) ?? 0o644) & 0o7777,
    mtime: numberAt(block, 136, 12),
    linkpath: textAt(block, 157, 100),
  };
}

export const notTar = (): Error => refused("it is not a whole .tar.gz archive; pack the folder again, and upload all of it");

/** The sum of all bytes, those of the sum itself taken for blanks; some old programs added the bytes as signed numbers. */
function hasRightSum(block: Buffer): boolean {
  let plain = 0;
  let signed = 0;
  for (let at = 0; at < blockBytes; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    plain += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const sum = numberAt(block, 148, 8);
  return sum === plain || sum === signed;
}

function textAt(block: Buffer, start: number, length: number): string {
  const field = block.toString("latin1", start, start + length);
  const end = field.indexOf("\0");
  return end === -1 ? field : field.slice(0, end);
}

/** Octal digits, or GNU's form for what is too large for them; undefined for an empty field, NaN for anything else. */
function numberAt(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  if (first >= 0x80) return binaryAt(block.subarray(start, start + length));
  const digits = textAt(block, start, length).trim();
  if (digits === "") return undefined;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** A number of two's complement behind a bit that marks it as such. */
function binaryAt(field: Buffer): number {
  const hex = field.toString("hex");
  const value = BigInt(`0x${hex}`) - (1n << BigInt(field.length * 8 - 1));
  // With the marking bit alone the number is positive, with all bits of the first byte set it is negative.
  return Number(field[0] === 0xff ? value - (1n << BigInt(field.length * 8 - 1)) : value);
}
