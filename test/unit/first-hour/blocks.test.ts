import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, kindOf, wrongsOf } from "../../first-hour/blocks.ts";

const readme = readFileSync(join(import.meta.dirname, "../../../README.md"), "utf8");

describe("README's blocks", () => {
  it("every code block of the README is of a known kind, and exactly one needs an AWS account", () => {
    expect(wrongsOf(blocksOf(readme))).toEqual([]);
  });

  it.each([
    ["an unknown language", "\n```fish\nfleet jobs\n```\n", /line \d+ is of no known language: "fish"/],
    ["no language", "\n```\nfleet jobs\n```\n", /no known language: ""/],
    ["a second block that needs AWS", "\n<!-- needs-aws -->\n```sh\nfleet jobs\n```\n", /2 blocks of kind needs-aws/],
    ["a second local cloud", "\n```sh\nnpm run -s fleet local\n```\n", /2 blocks of kind cloud/],
  ])("README blocks are refused with %s", (_what, more, wrong) => {
    expect(wrongsOf(blocksOf(readme + more)).join("\n")).toMatch(wrong);
  });

  it("README blocks are read in order, with their language, line and mark", () => {
    const text = "# A\n\n```sh\nnpm ci && npm start\n```\n\n<!-- needs-aws -->\n```sh\na\n\nb\n```\n```python\nimport boto3\n```\n";
    const blocks = blocksOf(text);
    expect(blocks).toMatchObject([
      { line: 3, language: "sh", text: "npm ci && npm start" },
      { line: 8, text: "a\n\nb", needsAws: true },
      { line: 13, language: "python", needsAws: false },
    ]);
    expect(blocks.map(kindOf)).toEqual(["ci", "needs-aws", "python"]);
  });

  it("a README block is skipped as a command of CI only if it is exactly that command", () => {
    const [block] = blocksOf("```sh\nnpm ci && npm start && fleet jobs\n```");
    expect(block && kindOf(block)).toBe("sh");
  });
});
