import { describe, expect, test } from "vitest";
import { draw } from "../../mutate/draw.ts";
import { diffOf, isThe, type Mutant, type SourceFile } from "../../mutate/mutant.ts";
import { reach } from "../../mutate/reach.ts";
import { lineOf, summaryOf } from "../../mutate/report.ts";

const conditions = "a < b;\n".repeat(50);
const files: readonly SourceFile[] = ["a", "b", "c", "d", "e", "f"].map((name) => ({
  path: `lib/${name}.ts`,
  source: `${conditions}x = !y;\n`,
}));
const namesOf = (mutants: Iterable<Mutant>): readonly string[] =>
  [...mutants].map(({ path, line, operator }) => `${path}:${line} ${operator}`);

describe("drawing mutants", () => {
  test("the same seed draws the same mutants whatever the order of the files, and another seed draws others", () => {
    expect(namesOf(draw(files, 7))).toEqual(namesOf(draw(files.toReversed(), 7)));
    expect(namesOf(draw(files, 7))).not.toEqual(namesOf(draw(files, 8)));
  });

  test("no mutant is drawn twice, and at most three are of one file", () => {
    const drawn = namesOf(draw(files, 1));
    expect(new Set(drawn).size).toBe(drawn.length);
    expect(drawn).toHaveLength(3 * files.length);
  });

  test("a rare operator is drawn much more often than its share of places", () => {
    const rare = Array.from({ length: 40 }, (_, seed) => namesOf(draw(files, seed))[0]).filter((name) => name?.endsWith("drop-not"));
    // One place in 51, but one draw in eight.
    expect(rare.length).toBeGreaterThan(2);
  });

  test("a refused mutant does not count towards the three of its file", () => {
    const [file] = files;
    const drawn = draw(file ? [file] : [], 1);
    let count = 0;
    for (let next = drawn.next(); !next.done; next = drawn.next(count <= 5 ? "refused" : undefined)) count += 1;
    expect(count).toBe(8);
  });
});

const mutant: Mutant = {
  operator: "compare",
  path: "lib/a.ts",
  line: 3,
  start: 0,
  end: 5,
  to: "(a <= b)",
  was: "  if (a < b) {",
  becomes: "  if ((a <= b)) {",
};

describe("a known equivalent", () => {
  const known = { path: "lib/a.ts", was: "if (a < b) {", becomes: "if ((a <= b)) {", because: "they are never equal" };
  test("a known equivalent is found wherever its lines are now, with whatever spaces", () => {
    expect(isThe(known, { ...mutant, line: 99, was: "\tif (a  < b) {" })).toBe(true);
  });
  test("a known equivalent is not found in another file, or if the line changes otherwise", () => {
    expect(isThe(known, { ...mutant, path: "lib/b.ts" })).toBe(false);
    expect(isThe(known, { ...mutant, becomes: "  if (!(a < b)) {" })).toBe(false);
  });
});

describe("the report", () => {
  const results = [
    { mutant, verdict: { kind: "killed", by: "a test", file: "test/a.test.ts" }, seconds: 1 },
    { mutant, verdict: { kind: "timed-out" }, seconds: 1 },
    { mutant, verdict: { kind: "survived" }, seconds: 1 },
    { mutant, verdict: { kind: "refused" }, seconds: 1 },
    { mutant, verdict: { kind: "equivalent", because: "they are never equal" }, seconds: 0 },
  ] as const;

  test("the score leaves out refused and equivalent mutants, and counts endless tests as noticed", () => {
    expect(summaryOf(results)).toContain("score: 67 % of 3");
    expect(summaryOf(results)).toContain("killed 1, timed out 1, survived 1, equivalent 1, refused 1");
  });

  test("a survivor is shown with its place and its change", () => {
    expect(lineOf(results[2])).toEqual(["survived    compare       lib/a.ts:3 (1 s)", "    - if (a < b) {", "    + if ((a <= b)) {"]);
  });

  test("a change of several lines shows only those that differ", () => {
    expect(diffOf({ was: "a = {\n  b,\n  c,\n};", becomes: "a = {\n  b,\n};" })).toEqual(["- c,"]);
  });
});

test("the tests that reach a module are found through imports and started processes, the nearest first", () => {
  const { testsOf } = reach([
    { path: "lib/a.ts", source: "" },
    { path: "lib/b.ts", source: 'import { a } from "./a.ts";' },
    { path: "lib/types.ts", source: 'import type { A } from "./a.ts";' },
    { path: "test/a.test.ts", source: 'import {\n  a,\n} from "../lib/a.ts";' },
    { path: "test/b.test.ts", source: 'import { b } from "../lib/b.ts";' },
    { path: "test/process.test.ts", source: 'spawn(join(import.meta.dirname, "../lib/b.ts"));' },
    { path: "test/parts.test.ts", source: 'spawn(join(root, "lib", "b.ts"));' },
    { path: "test/types.test.ts", source: 'import { t } from "../lib/types.ts";' },
  ]);
  expect(testsOf("lib/a.ts")).toEqual(["test/a.test.ts", "test/b.test.ts", "test/parts.test.ts", "test/process.test.ts"]);
});
