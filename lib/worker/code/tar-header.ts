import { printable } from "../../model/files/byte-name.ts";
import { refused } from "./refused-archive.ts";

export const blockBytes = 512;

/** The fields of one header block of a tar archive, in any format. Paths have one character per byte. */
export type TarHeader = {
  readonly path: string;
  /** The letter of its type. A file of the oldest archives, which has none, gets "0". */
  readonly letter: string;
  readonly size: number;
  readonly mode: number;
  /** In seconds; undefined if the header has none. */
  readonly mtime: number | undefined;
  readonly linkpath: string;
};

/** Reads a header. Returns undefined for a block of zeros, which marks an archive's end. Throws a FleetError if the block is not a header. */
export function headerOf(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!hasRightSum(block)) throw notTar();
  const name = textAt(block, 0, 100);
  // Only POSIX archives have the first part of a long path here. GNU archives have times in its place.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textAt(block, 345, 155) : "";
  const path = prefix === "" ? name : `${prefix}/${name}`;
  const size = numberAt(block, 124, 12) ?? 0;
  if (!Number.isSafeInteger(size) || size < 0) throw refused(`"${printable(path)}" has an invalid size`);
  return {
    path,
    letter: block[156] === 0 ? "0" : block.toString("latin1", 156, 157),
    size,
    mode: (numberAt(block, 100, 8) ?? 0o644) & 0o7777,
    mtime: numberAt(block, 136, 12),
    linkpath: textAt(block, 157, 100),
  };
}

export const notTar = (): Error => refused("it is not a complete .tar.gz archive; pack the folder again and upload all of it");

/**
 * Reports whether the checksum is correct: the sum of all bytes, with blanks in place of the checksum itself. Some old programs added the
 * bytes as signed numbers, so that sum is accepted too.
 */
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

/** Reads octal digits, or GNU's form for larger numbers. Returns undefined for an empty field, and NaN if the field is not a number. */
function numberAt(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  if (first >= 0x80) return binaryAt(block.subarray(start, start + length));
  const digits = textAt(block, start, length).trim();
  if (digits === "") return undefined;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Reads a two's complement number whose first bit only marks this form. */
function binaryAt(field: Buffer): number {
  const hex = field.toString("hex");
  const value = BigInt(`0x${hex}`) - (1n << BigInt(field.length * 8 - 1));
  // The number is negative if all bits of the first byte are set, and positive otherwise.
  return Number(field[0] === 0xff ? value - (1n << BigInt(field.length * 8 - 1)) : value);
}
