import { expect, test } from "vitest";
import { globPrefix, matchesGlob } from "../../../lib/model/glob.ts";

test.each([
  ["*", ""],
  ["*", "train-7"],
  ["train-*", "train-"],
  ["train-?", "train-7"],
  ["*-7", "train-7-7"],
  ["t*n*7", "train-7"],
  ["**a**", "bab"],
  ["a.b", "a.b"],
])("the pattern %j fits the name %j", (pattern, name) => {
  expect(matchesGlob(pattern, name)).toBe(true);
});

test.each([
  ["", "a"],
  ["a", ""],
  ["?", ""],
  ["train-?", "train-77"],
  ["train", "train-7"],
  ["*-8", "train-7"],
  ["a.b", "axb"],
  ["[a]", "a"],
])("the pattern %j does not fit the name %j", (pattern, name) => {
  expect(matchesGlob(pattern, name)).toBe(false);
});

test("a pattern of many stars takes no longer than a name of a hundred letters allows", () => {
  const startedMs = performance.now();
  for (let n = 0; n < 1_000; n += 1) expect(matchesGlob(`${"*a".repeat(49)}*b`, "a".repeat(100))).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test("a pattern's prefix is what stands before its first sign", () => {
  expect(["train-*", "?a", "train-7"].map(globPrefix)).toEqual(["train-", "", "train-7"]);
});
