import { describe, expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { headerOf, type TarHeader } from "../../../lib/worker/code/tar-header.ts";

/** Where the fields of a header begin. */
const at = { path: 0, mode: 100, size: 124, mtime: 136, sum: 148, letter: 156, linkpath: 157, magic: 257, prefix: 345 } as const;
type Fields = Partial<Record<Exclude<keyof typeof at, "sum">, string | Buffer>>;

/** Returns a header with these fields, and the sum that `summed` makes of its bytes. */
function block(fields: Fields, summed: (bytes: Buffer) => number = (bytes) => bytes.reduce((sum, byte) => sum + byte, 0)): Buffer {
  const header = Buffer.alloc(512);
  const all = { path: "a", mode: "0000644\0", size: "00000000001\0", mtime: "00000000002\0", letter: "0", ...fields };
  for (const [name, value] of Object.entries(all)) Buffer.from(value as string, "latin1").copy(header, at[name as keyof typeof at]);
  header.fill(" ", at.sum, at.sum + 8);
  header.write(`${summed(header).toString(8).padStart(6, "0")}\0 `, at.sum, "latin1");
  return header;
}

const read = (fields: Fields): TarHeader => {
  const header = headerOf(block(fields));
  if (header === undefined) throw new Error("the block is empty");
  return header;
};

/** Returns a number in GNU's form: two's complement, and the first bit marks the form. */
function binary(value: bigint, bytes: number): Buffer {
  const hex = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, "0");
  const field = Buffer.from(hex, "hex");
  field[0] = (field[0] ?? 0) | 0x80;
  return field;
}

describe("the header of an entry in a tar archive", () => {
  test("a header has the path, type, size, mode, time and link target of its entry", () => {
    expect(read({ path: "dir/a", letter: "2", linkpath: "b", mode: "0000755\0" })).toEqual({
      path: "dir/a",
      letter: "2",
      size: 1,
      mode: 0o755,
      mtime: 2,
      linkpath: "b",
    });
  });

  test("a header without type, mode, size or time is that of an empty file that its owner may write", () => {
    const blank = { mode: "\0".repeat(8), size: "\0".repeat(12), mtime: "\0".repeat(12), letter: "\0" };
    expect(read(blank)).toEqual({ path: "a", letter: "0", size: 0, mode: 0o644, mtime: undefined, linkpath: "" });
  });

  test("a mode has no bits for the type of a file", () => {
    expect(read({ mode: "0107755\0" }).mode).toBe(0o7755);
  });

  test("names may fill their fields", () => {
    const long = "n".repeat(100);
    expect(read({ path: long, linkpath: long })).toMatchObject({ path: long, linkpath: long });
  });

  test("the first part of a path counts only in a POSIX header, because GNU archives have times in its place", () => {
    expect(read({ magic: "ustar\x0000", prefix: "first" }).path).toBe("first/a");
    expect(read({ magic: "ustar\x0000", prefix: "p".repeat(155) }).path).toBe(`${"p".repeat(155)}/a`);
    expect(read({ magic: "ustar  \0", prefix: "first" }).path).toBe("a");
    expect(read({ magic: "ustar\x0000" }).path).toBe("a");
  });

  test.each([
    [8_589_934_592n, 8_589_934_592],
    [0n, 0],
    [255n, 255],
  ])("a size of %s in GNU's form is read", (value, size) => {
    expect(read({ size: binary(value, 12) }).size).toBe(size);
  });

  test.each([
    [-1n, -1],
    [-2_208_988_800n, -2_208_988_800],
    [4_102_444_800n, 4_102_444_800],
  ])("a time of %s s in GNU's form is read, also before 1970", (value, mtime) => {
    expect(read({ mtime: binary(value, 12) }).mtime).toBe(mtime);
  });

  test.each([
    ["is negative", binary(-1n, 12)],
    ["is too large", binary(2n ** 60n, 12)],
    ["is no number", "0000000008x\0"],
  ])("an entry is refused by name if its size %s", (_what, size) => {
    expect(() => headerOf(block({ size, path: "big" }))).toThrow(
      new FleetError("archive", 'the code archive was refused: "big" has an invalid size'),
    );
  });

  test("a sum of signed bytes is accepted too, because some old programs wrote it", () => {
    const signed = (bytes: Buffer) => bytes.reduce((sum, byte) => sum + (byte < 0x80 ? byte : byte - 0x100), 0);
    expect(headerOf(block({ path: "caf\xe9\x80\x7f" }, signed))?.path).toBe("caf\xe9\x80\x7f");
  });

  test("a block whose sum is wrong is no header, and a block of zeros ends the archive", () => {
    expect(() => headerOf(block({}, (bytes) => bytes.reduce((sum, byte) => sum + byte, 0) + 1))).toThrow(/not a complete \.tar\.gz/);
    expect(headerOf(Buffer.alloc(512))).toBeUndefined();
  });
});
