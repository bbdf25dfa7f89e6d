import { describe, expect, it } from "vitest";
import { ignoring } from "../../../lib/cli/pack/ignore.ts";

/** Each: the rules, then paths that they leave out, then paths that they do not; a path ending in / is a folder. */
const cases: readonly (readonly [rules: string, out: readonly string[], kept: readonly string[]])[] = [
  ["", [".git/", "node_modules/", "a/__pycache__/", ".venv/", "a/.git"], ["train.py", "git/", "x.git"]],
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
  ["/", [], ["a"]],
  ["[", ["["], ["a"]],
];

describe.each(cases)("rules %j", (rules, out, kept) => {
  const ignores = ignoring(rules);
  const asked = (path: string): boolean => ignores(path.replace(/\/$/, ""), path.endsWith("/"));
  it.each(out.map((path) => [path]))("leave out %j", (path) => expect(asked(path)).toBe(true));
  it.each(kept.map((path) => [path]))("keep %j", (path) => expect(asked(path)).toBe(false));
});
