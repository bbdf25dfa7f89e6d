import { expect, it } from "vitest";
import { printable, textOf } from "../../../lib/model/files/byte-name.ts";

const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

it.each([
  [latin1("a b/ü 警报"), "a b/ü 警报"],
  ["caf\xe9.txt", String.raw`caf\xe9.txt`],
  ["a\nb\tc\x1b[2J\x7f", String.raw`a\nb\tc\x1b[2J\x7f`],
  [latin1("a\u202eb\u0085"), String.raw`a\u202eb\x85`],
  ["back\\slash", "back\\slash"],
])("the file name %j is shown as %s", (name, shown) => {
  expect(printable(name)).toBe(shown);
});

it("bytes that are not UTF-8 have no text", () => {
  expect(textOf("caf\xe9")).toBeUndefined();
  expect(textOf(latin1("\ufeffé"))).toBe("\ufeffé");
});
