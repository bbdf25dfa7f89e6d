import { describe, expect, test } from "vitest";
import { mutantOf } from "../../mutate/mutant.ts";
import { mutated, mutationsOf, type Operator } from "../../mutate/operators.ts";

/** Returns the sources that an operator makes of a source. */
const made = (operator: Operator, source: string): readonly string[] =>
  mutationsOf(source)
    .filter((mutation) => mutation.operator === operator)
    .map((mutation) => mutated(source, mutation));

describe("an operator changes one place", () => {
  test.each<[Operator, string, string]>([
    ["negate-if", "if (a) b();", "if (!(a)) b();"],
    ["ternary", "const x = a ? b : c;", "const x = a ? (c) : (b);"],
    ["drop-not", "const x = !a;", "const x = (a);"],
    ["drop-await", "await a();", "a();"],
    ["and-or", "const x = a && b;", "const x = (a || b);"],
    ["and-or", "const x = a || b;", "const x = (a && b);"],
    ["compare", "const x = a < b;", "const x = (a <= b);"],
    ["compare", "const x = a === b;", "const x = (a !== b);"],
    ["plus-minus", "const x = a + b;", "const x = (a - b);"],
    ["plus-minus", "a += b;", "a -= b;"],
    ["plus-minus", "a++;", "a--;"],
    ["drop-call", "await a.b(c);", ";"],
    ["return-early", "function a(): void { b(); }", "function a(): void { return; b(); }"],
    ["return-early", "const a = (): number => { return b(); };", "const a = (): number => { return 0; return b(); };"],
    ["boolean", "const x = true;", "const x = false;"],
    ["number", "const x = 3;", "const x = 4;"],
    ["number", "const x = 500;", "const x = 1000;"],
    ["compare", "const x = a < b ? -1 : c;", "const x = (a <= b) ? -1 : c;"],
    ["number", "const x = a < b ? 0 : 1;", "const x = a < b ? 0 : 2;"],
    ["number", "const x = a < b ? 1 : c - d;", "const x = a < b ? 2 : c - d;"],
    ["drop-method", "const x = a.filter(b);", "const x = a;"],
    ["drop-property", "a = { b: c, d };", "a = {  d };"],
  ])("%s makes of %s the expected mutant", (operator, source, mutant) => {
    expect(made(operator, source)).toContain(mutant);
  });

  test("a function that returns a boolean is made to return each of the two at once", () => {
    expect(made("return-early", "async function a(): Promise<boolean> { return b; }")).toEqual([
      "async function a(): Promise<boolean> { return true; return b; }",
      "async function a(): Promise<boolean> { return false; return b; }",
    ]);
  });

  test("places after characters that need several bytes are found", () => {
    expect(made("boolean", 'const a = "→ é 😀"; const b = true;')).toEqual(['const a = "→ é 😀"; const b = false;']);
  });
});

describe("an operator leaves alone", () => {
  test.each<[string, Operator, string]>([
    ["types", "boolean", "type A = { readonly a: true }; const a: true = b;"],
    ["a + that joins texts", "plus-minus", 'const a = "b" + c; const d = `e` + f;'],
    ["the alternative of ??", "and-or", "const a = b ?? c;"],
    ["the step of a loop", "plus-minus", "for (let a = 0; a < b; a += 1) c(); for (;; d++) {}"],
    ["the sign of an order", "number", "a.sort((b, c) => b.d - c.d || (b.e < c.e ? -1 : 1)); f.sort((b, c) => (b > c ? 1 : -1));"],
    ["which of two equals is first", "compare", "a.sort((b, c) => (b.e < c.e ? -1 : 1));"],
    ["lines of the log", "drop-call", 'log("info", "it began"); deps.log({}); console.error(a);'],
    ["the call of the parent's constructor", "drop-call", "class A extends B { constructor() { super(); } }"],
    ["a function whose type has no value that is known here", "return-early", "function a(): B { return b(); }"],
  ])("an operator leaves %s alone", (_what, operator, source) => {
    expect(made(operator, source)).toEqual([]);
  });
});

test("a mutant knows its line, and how the line was before", () => {
  const source = "const a = 1;\n\nif (b) {\n  c();\n}\n";
  const [mutation] = mutationsOf(source).filter(({ operator }) => operator === "drop-call");
  expect(mutation && mutantOf({ path: "lib/a.ts", source }, mutation)).toMatchObject({ line: 4, was: "  c();", becomes: "  ;" });
});
