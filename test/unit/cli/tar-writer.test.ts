import { describe, expect, it } from "vitest";
import { endOfArchive, headOf, paddingOf, type TarHead } from "../../../lib/cli/pack/tar-writer.ts";

const aHead = (over: Partial<TarHead> = {}): Buffer => headOf({ path: "a.txt", kind: "file", mode: 0o644, bytes: 7, ...over });

/** Returns the fields of the last block of a head, and the records of the extension before it, if there is one. */
function read(head: Buffer) {
  const block = head.subarray(head.length - 512);
  const text = (from: number, length: number): string => block.toString("latin1", from, from + length).replace(/\0.*$/s, "");
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  const body = head.length > 512 ? head.toString("latin1", 512, head.length - 512).replace(/\0+$/, "") : undefined;
  return {
    name: text(0, 100),
    prefix: text(345, 155),
    mode: text(100, 8),
    bytes: text(124, 12),
    letter: text(156, 1),
    target: text(157, 100),
    magic: block.toString("latin1", 257, 265),
    owners: [text(108, 8), text(116, 8), text(136, 12)],
    isSumRight: block.toString("latin1", 148, 156) === `${sum.toString(8).padStart(6, "0")}\0 `,
    body,
  };
}

describe("the head of an entry of an archive", () => {
  it("a head has the entry's name, mode and size, and no owners and times", () => {
    expect(aHead()).toHaveLength(512);
    expect(read(aHead())).toEqual({
      name: "a.txt",
      prefix: "",
      mode: "0000644",
      bytes: "00000000007",
      letter: "0",
      target: "",
      magic: "ustar\x0000",
      owners: ["0000000", "0000000", "00000000000"],
      isSumRight: true,
      body: undefined,
    });
    expect(read(aHead({ kind: "folder", path: "a" }))).toMatchObject({ name: "a/", letter: "5", isSumRight: true });
    expect(read(aHead({ kind: "link", target: "b" }))).toMatchObject({ name: "a.txt", letter: "2", target: "b", isSumRight: true });
  });

  const [x100, x155] = ["x".repeat(100), "y".repeat(155)];
  it.each<[string, string, object]>([
    ["of 100 bytes is the name", x100, { name: x100, prefix: "" }],
    ["of 101 bytes is split at a slash", `y/${x100}`, { name: x100, prefix: "y" }],
    ["of 256 bytes is split at a slash", `${x155}/${x100}`, { name: x100, prefix: x155 }],
    ["is split as early as the name allows", `${"a/".repeat(60)}b`, { name: `${"a/".repeat(49)}b`, prefix: `${"a/".repeat(10)}a` }],
  ])("a path that %s needs no extension", (_what, path, fields) => {
    expect(aHead({ path })).toHaveLength(512);
    expect(read(aHead({ path }))).toMatchObject({ ...fields, isSumRight: true });
  });

  it.each([
    ["without a slash", "x".repeat(101), x100],
    ["with a name that is too long", `y/${x100}x`, `y/${"x".repeat(98)}`],
    ["with folders that are too long", `${x155}y/${x100}`, "y".repeat(100)],
    ["whose first 100 bytes end with a slash", `${"z".repeat(99)}/${"w".repeat(101)}`, "z".repeat(99)],
  ])("a path %s is in an extension", (_what, path, name) => {
    const head = read(aHead({ path }));
    expect(head).toMatchObject({ name, prefix: "", isSumRight: true });
    expect(head.body).toBe(`${path.length + 10} path=${path}\n`);
  });

  it.each([
    ["three digits", "x".repeat(101), 111],
    ["the last length of three digits", "x".repeat(989), 999],
    ["four digits, because with three it would be 1,000", "x".repeat(990), 1_001],
  ])("the length of a record in an extension includes its own digits: %s", (_what, path, length) => {
    const { body = "" } = read(aHead({ path }));
    expect(body).toHaveLength(length);
    expect(body.startsWith(`${length} path=`)).toBe(true);
  });

  it("the target of a link is in an extension if it has more than 100 bytes", () => {
    expect(read(aHead({ kind: "link", target: x100 }))).toMatchObject({ target: x100, body: undefined });
    expect(read(aHead({ kind: "link", target: `${x100}x` }))).toMatchObject({ target: x100, body: `115 linkpath=${x100}x\n` });
  });

  it("a size of 8 GiB and more is in an extension", () => {
    expect(read(aHead({ bytes: 8 ** 11 - 1 }))).toMatchObject({ bytes: "7".repeat(11), body: undefined });
    expect(read(aHead({ bytes: 8 ** 11 }))).toMatchObject({ bytes: "0".repeat(11), body: "19 size=8589934592\n", isSumRight: true });
  });
});

it("the content of a file is followed by zeros up to a whole block, and the archive by two blocks of zeros", () => {
  expect([0, 1, 511, 512, 513].map((bytes) => paddingOf(bytes).length)).toEqual([0, 511, 1, 0, 511]);
  expect(endOfArchive.equals(Buffer.alloc(1_024))).toBe(true);
});
