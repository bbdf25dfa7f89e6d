import { describe, expect, it } from "vitest";
import { ruleOn, rulesOf } from "../../../lib/cli/pack/ignore.ts";

/** Cases: the rules, the paths that they exclude, and the paths that they keep. A path that ends with / is a folder. */
const cases: readonly (readonly [rules: string, out: readonly string[], kept: readonly string[]])[] = [
  ["*.ckpt", ["a.ckpt", "b/c/a.ckpt", ".ckpt"], ["a.ckpt.txt", "ckpt"]],
  ["data", ["data/", "data", "a/data/"], ["data2", "mydata"]],
  ["data/", ["data/", "a/data/"], ["data", "a/data"]],
  ["/data", ["data/", "data"], ["a/data"]],
  ["a/b", ["a/b"], ["x/a/b", "b"]],
  ["# a comment\n\n\\#odd\n\\!loud", ["#odd", "!loud"], ["a comment", "odd"]],
  ["*.pt\n!best.pt", ["a.pt", "x/a.pt"], ["best.pt", "x/best.pt"]],
  ["!best.pt\n*.pt", ["best.pt"], []],
  ["a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["z", "b/a/z"]],
  ["**/logs", ["logs/", "a/logs", "a/b/logs"], ["logs2"]],
  ["logs/**", ["logs/a", "logs/a/b"], ["logs/", "a/logs/b"]],
  ["file?.txt", ["file1.txt"], ["file.txt", "file12.txt", "file/.txt"]],
  ["v[0-9].bin\n[!a]x", ["v1.bin", "bx"], ["va.bin", "ax", "b/ax"]],
  ["a+b(c).txt\n{x,y}", ["a+b(c).txt", "{x,y}"], ["aab(c).txt", "x", "y"]],
  ["trailing   \nkept\\ ", ["trailing", "kept "], ["trailing   ", "kept"]],
  ["a/*\r\n*.tmp\r\n", ["a/b", "x.tmp"], ["a/", "c/b"]],
  ["*", ["anything", ".hidden", "a/"], []],
  ["/*", ["a"], ["a/b"]],
  ["/", [], ["a"]],
  ["[", [], ["[", "a"]],
  // In these cases an earlier version differed from git.
  ["\xef\xbb\xbf*.ckpt", ["a.ckpt"], []],
  ["run[[:digit:]].log\n[[:space:]]x", ["run1.log", " x"], ["runa.log", "ax"]],
  ["[\\]]\n[a-", ["]"], ["[", "a", "[a-"]],
  ["x[a-]\ny[]-a]", ["xa", "x-", "y]", "y^", "ya"], ["xb", "y-", "yb"]],
  ["foo\\", [], ["foo", "foo\\"]],
];

describe.each(cases)("the rules %j", (rules, out, kept) => {
  const read = { rules: rulesOf(rules), base: "", above: "", outer: undefined };
  const isOut = (path: string): boolean => ruleOn(read, path.replace(/\/$/, ""), path.endsWith("/"))?.keeps === false;
  it.each(out.map((path) => [path]))("ignore rules exclude %j", (path) => expect(isOut(path)).toBe(true));
  it.each(kept.map((path) => [path]))("ignore rules keep %j", (path) => expect(isOut(path)).toBe(false));
});

it("matching a rule with many stars takes time in proportion to its length times the name's", () => {
  const read = { rules: rulesOf(`${"*a".repeat(50)}*b`), base: "", above: "", outer: undefined };
  expect(ruleOn(read, "a".repeat(250), false)).toBeUndefined();
});
