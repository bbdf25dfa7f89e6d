import { matchesGlob as matchesNodes } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  advance,
  globPrefix,
  hasMagic,
  isBelow,
  isWhole,
  literally,
  matchesGlob,
  type Pattern,
  pathName,
  patternsOf,
  start,
} from "../../../lib/model/files/glob.ts";

/** Matches a path against a pattern, name by name, as the walk of the tree does. */
function follows(pattern: Pattern, path: string): boolean {
  let reached = start(pattern);
  for (const text of path.split("/")) reached = advance(pattern, reached, pathName(text));
  return isWhole(pattern, reached);
}
const matches = (glob: string, path: string): boolean => patternsOf(glob).some((pattern) => follows(pattern, path));

describe("globs", () => {
  test.each([
    ["ckpt/*.pt", "ckpt/1.pt", true],
    ["ckpt/*.pt", "ckpt/deep/1.pt", false],
    ["ckpt/*.pt", "ckpt/.pt", true],
    ["*", ".hidden", true],
    ["**/*.pt", "a.pt", true],
    ["**/*.pt", "a/b/c.pt", true],
    ["a/**", "a/b/c", true],
    ["a/**/z", "a/z", true],
    ["a/**/**/z", "a/b/c/z", true],
    ["**", "a/b", true],
    ["step-?", "step-é", true],
    ["step-?", "step-12", false],
    ["step-[0-9][!a-c]", "step-7d", true],
    ["step-[0-9][!a-c]", "step-7b", false],
    ["[]x]", "]", true],
    ["a[b", "a[b", true],
    ["[a-]", "-", true],
    ["*.{pt,json}", "x.json", true],
    ["{a,b{1,2}}/c", "b2/c", true],
    ["{a}", "{a}", true],
    ["./out//*.txt", "out/x.txt", true],
    ["(a+b).txt", "(a+b).txt", true],
  ])("whether the glob %s matches the path %s: %s", (glob, path, expected) => {
    expect(matches(glob, path)).toBe(expected);
  });

  test("a glob matches the same paths as Node's own matcher", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "-", "z"), minLength: 1, maxLength: 6 });
    const part = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]", "[a-m]"), minLength: 1, maxLength: 5 }),
      },
      { weight: 1, arbitrary: fc.constant("**") },
    );
    // Adjacent stars have another meaning for Node.
    const glob = fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.map((each) => (each === "**" ? each : each.replace(/\*+/g, "*"))).join("/"));
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
    fc.assert(
      fc.property(glob, path, (pattern, of) => {
        // Here, a trailing `**` also matches the folder itself, because everything below it is meant.
        fc.pre(!pattern.endsWith("**"));
        expect(matches(pattern, of)).toBe(matchesNodes(of, pattern));
      }),
      { numRuns: 300 },
    );
  });

  // A matcher that tried every way to match would not end.
  test("matching a glob ends in time even if there are very many ways to match", () => {
    expect(matches(`${"*a".repeat(40)}b`, "a".repeat(255))).toBe(false);
    expect(matches(`${"**/a/".repeat(40)}b`, Array.from({ length: 255 }, () => "a").join("/"))).toBe(false);
    expect(patternsOf("{a,b}".repeat(30))).toHaveLength(1);
  });
});

test("a literal path matches that path and no other", () => {
  expect(hasMagic("out/model.pt")).toBe(false);
  expect(hasMagic("out/[1].pt")).toBe(true);
  expect(follows(literally("out/[1].pt"), "out/[1].pt")).toBe(true);
  expect(follows(literally("out/*"), "out/x")).toBe(false);
});

test.each([
  ["out", "out/model.pt", true],
  ["out/", "out/deep/x", true],
  ["out/model.pt", "out/model.pt", true],
  ["out/m*", "out/model.pt", true],
  ["*.pt", "out/model.pt", false],
  ["out/run[1]", "out/run[1]", true],
  [".", "out/model.pt", true],
  ["ou", "out/model.pt", false],
])("whether the request %s includes %s: %s", (request, path, expected) => {
  expect(isBelow(request, path)).toBe(expected);
});

test.each([
  ["*", ""],
  ["*", "train-7"],
  ["train-*", "train-"],
  ["train-?", "train-7"],
  ["*-7", "train-7-7"],
  ["t*n*7", "train-7"],
  ["**a**", "bab"],
  ["a.b", "a.b"],
])("the pattern %j matches the name %j", (pattern, name) => {
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
])("the pattern %j does not match the name %j", (pattern, name) => {
  expect(matchesGlob(pattern, name)).toBe(false);
});

// A matcher that tried every way to match would not end.
test("a pattern of many stars is matched in a time that the lengths of pattern and name limit", () => {
  for (let n = 0; n < 1_000; n += 1) expect(matchesGlob(`${"*a".repeat(49)}*b`, "a".repeat(100))).toBe(false);
});

test("the prefix of a pattern ends before its first wildcard", () => {
  expect(["train-*", "?a", "train-7"].map(globPrefix)).toEqual(["train-", "", "train-7"]);
});
