import { expect, test } from "vitest";
import { LeftOut } from "../../../lib/worker/artifacts/left-out.ts";

const listOf = (most: number, ...names: readonly string[]) => {
  const list = new LeftOut(most);
  for (const name of names) list.add(Buffer.from(name), "why");
  return list.listed;
};
const entries = (...paths: readonly string[]) => paths.map((path) => ({ path, because: "why" }));

test("entries that are left out are listed in order of their paths, up to a limit, and further ones are counted", () => {
  expect(listOf(2)).toEqual({ leftOut: [] });
  expect(listOf(2, "b", "a")).toEqual({ leftOut: entries("a", "b") });
  expect(listOf(2, "c", "a", "b")).toEqual({ leftOut: entries("a", "c"), leftOutMore: 1 });
  expect(listOf(2, "c", "b", "a", "d")).toEqual({ leftOut: entries("b", "c"), leftOutMore: 2 });
});

test("a path of more than 4,000 characters is cut in the list, but not in the middle of a character", () => {
  const whole = "x".repeat(4_000);
  expect(listOf(1, whole).leftOut).toEqual(entries(whole));
  expect(listOf(1, `${whole}y`).leftOut).toEqual(entries(`${whole}…`));
  const emoji = listOf(1, `${"x".repeat(3_999)}😀`).leftOut[0]?.path ?? "";
  expect(emoji.isWellFormed()).toBe(true);
});
