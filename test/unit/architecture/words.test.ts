// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the planted sources hold templates
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dialect, type TextFile, tooMany, type Word, wordsIn } from "./words.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const files: readonly TextFile[] = globSync(
  ["{cdk,events,functions,lib}/**/*.ts", "{README,ARCHITECTURE,CONTRIBUTING}.md", "docs/**/*.md"],
  {
    cwd: root,
  },
)
  .map((path) => path.replaceAll("\\", "/"))
  .toSorted()
  .map((path) => ({ path, source: readFileSync(join(root, path), "utf8") }));

test("no word of the older dialect occurs more often than its ceiling allows", () => {
  expect(tooMany(files.flatMap(wordsIn))).toEqual([]);
});

test("the count of words covers every folder with source code and every document", () => {
  const starts = ["cdk/", "events/", "functions/", "lib/", "docs/", "docs/decisions/", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
  for (const start of starts) expect(files.filter(({ path }) => path.startsWith(start)).length, start).toBeGreaterThan(0);
  expect(files.length).toBeGreaterThan(500);
});

const found = (source: string, path = "lib/x.ts"): string[] =>
  wordsIn({ path, source }).map(({ kind, word, at }) => `${kind} ${word} ${at}`);

describe("planted words", () => {
  test.each<[string, string, string]>([
    ["a doc comment", "/** Answers what it was asked. */", "comments answer lib/x.ts:1"],
    ["a later line of a doc comment", "\n/**\n * A queue.\n * Nobody reads it.\n */", "comments nobody lib/x.ts:4"],
    ["a comment after code", "const x = 1; // It comes from outside.", "comments come lib/x.ts:1"],
    ["a message", 'throw new FleetError("x", "the worker was told to stop");', "strings tell lib/x.ts:1"],
    ["a template", "log(`${name} shall begin anew`);", "strings anew lib/x.ts:1"],
  ])("a planted word in %s is counted", (_where, source, place) => {
    expect(found(source)).toContain(place);
  });

  test("a planted word in a document is counted, but not in its code", () => {
    expect(found("# A\n\nWhoever reads `answers` in\n\n```sh\ntell me\n```\n", "docs/a.md")).toEqual(["documents nobody docs/a.md:3"]);
  });

  test.each([
    ["code", "const answer = told(shall);"],
    ["a string of one word", 'const kind = "answers";'],
    ["an import", 'import { answer } from "./answer-node.ts";'],
    ["code in a comment", "/** Calls `answer`, see lib/api/http/answer.ts. */"],
    ["a pattern", "const pattern = /it answers (?:and) tells/;"],
    ["a longer word", "/** It becomes clear that besides this, the outcome is retold. */"],
  ])("a planted word in %s is not counted", (_where, source) => {
    expect(found(source)).toEqual([]);
  });
});

describe("ceilings", () => {
  const none = Object.fromEntries(Object.keys(dialect).map((word) => [word, 0])) as Record<Word, number>;
  const most = { comments: { ...none, tell: 1 }, strings: none, documents: none };

  test("a count that equals its ceiling is allowed", () => {
    expect(tooMany([{ kind: "comments", word: "tell", at: "lib/x.ts:1" }], most)).toEqual([]);
  });

  test("a count above its ceiling is reported with the places of the word", () => {
    const two = ["lib/x.ts:1", "lib/y.ts:2"].map((at) => ({ kind: "comments", word: "tell", at }) as const);
    expect(tooMany(two, most)).toEqual([
      'the comments have 2 words like "tell", and at most 1 is allowed; rewrite one of these lines:\n  lib/x.ts:1\n  lib/y.ts:2',
    ]);
  });
});
