import { expect, it } from "vitest";
import { anyOf, bytes, count, dollars, hourly } from "../../../lib/cli/terminal/amount.ts";

it.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [2, "2 bytes"],
  [1_023, "1023 bytes"],
  [1_024, "1 KiB"],
  [1_536, "1.5 KiB"],
  [9.94 * 1_024, "9.9 KiB"],
  [10.4 * 1_024, "10 KiB"],
  [1_023.4 * 1_024, "1023 KiB"],
  [1_024 ** 2, "1 MiB"],
  [1.25 * 1_024 ** 3, "1.3 GiB"],
  [2 * 1_024 ** 4, "2 TiB"],
  [5_000 * 1_024 ** 4, "5000 TiB"],
])("a size of %d bytes is printed as %s", (size, text) => {
  expect(bytes(size)).toBe(text);
});

it.each([
  [["a"], "a"],
  [["a", "b", "c", "d"], "a or b or c or d"],
  [["a", "b", "c", "d", "e"], "a or b or c or 2 more"],
])("the names %j are printed as %s", (names, text) => {
  expect(anyOf(names)).toBe(text);
});

it.each([
  [0, "no nodes"],
  [1, "1 node"],
  [2, "2 nodes"],
])("%i of something is printed as %s", (n, text) => {
  expect(count(n, "node")).toBe(text);
});

it("money has two decimals, and a price per hour three if it is below a dollar", () => {
  expect([dollars(1_234.5), hourly(0.526), hourly(16.288)]).toEqual(["$1234.50", "$0.526/h", "$16.29/h"]);
});
