import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiOperationSteps } from "./recipes/api-operation.ts";
import { jobFieldSteps } from "./recipes/job-field.ts";
import { type Check, Copies, type Outcome, type Step } from "./recipes/plant.ts";

/**
 * Keeps two recipes of CONTRIBUTING.md true: follows them for dummies in copies of the sources. In one copy all steps are taken, and the
 * checks must pass. In every other copy one step of each recipe is omitted, and the checks that demand these steps must fail.
 */
const steps: readonly Step[] = [...jobFieldSteps, ...apiOperationSteps];
type Demanded = Step & { readonly demandedBy: Check };
const demanded = steps.filter((step): step is Demanded => step.demandedBy !== undefined);

/** The name of the copy that omits a step. Steps of different recipes share a copy, because they do not depend on each other. */
const nameOf = (step: Demanded): string => `omits-${demanded.filter(({ recipe }) => recipe === step.recipe).indexOf(step)}`;
const omittedIn = Map.groupBy(demanded, nameOf);

/** All edits except those of the omitted steps, or with the form that another step has if one is omitted. */
const without = (omitted: readonly Demanded[]): Step["edits"] => {
  const missing = omitted.flatMap((step) => [step.what, step.omitted?.step]);
  return [
    ...steps.filter(({ what }) => !missing.includes(what)).flatMap(({ edits }) => edits),
    ...omitted.flatMap((step) => step.omitted?.edits ?? []),
  ];
};

/** The checks after all steps: the compiler about every file that a step changes, and every check that demands a step. */
const everyCheck: readonly Check[] = [
  ...steps.flatMap(({ edits }) => edits.map(({ file }): Check => ({ by: "compiler", about: file }))).filter(isCode),
  ...demanded.map(({ demandedBy }) => demandedBy).filter(isCode),
];
function isCode(check: Check): boolean {
  return check.by !== "compiler" || check.about.endsWith(".ts");
}

const copies = new Copies();
let outcomeOf: (name: string) => Outcome;
beforeAll(async () => {
  copies.add(
    "all",
    steps.flatMap(({ edits }) => edits),
    everyCheck,
  );
  for (const [name, omitted] of omittedIn)
    copies.add(
      name,
      without(omitted),
      omitted.map(({ demandedBy }) => demandedBy),
    );
  await copies.generate("all");
  outcomeOf = await copies.check();
}, 240_000);
afterAll(() => copies.remove(), 60_000);

test("all checks pass after every step of the recipes", () => {
  const { compiler, tests, ran, generated } = outcomeOf("all");
  expect({ compiler, tests, generated }).toEqual({ compiler: [], tests: [], generated: "" });
  expect(ran).toBeGreaterThan(100);
});

describe("the steps of the recipes", () => {
  test.each(demanded)('the step "$what" of item $item of the recipe "$recipe" is demanded by a check', (step) => {
    const { compiler, tests, generated } = outcomeOf(nameOf(step));
    switch (step.demandedBy.by) {
      case "compiler":
        return expect(compiler).toContain(step.demandedBy.about);
      case "test":
        return expect(tests).toContain(step.demandedBy.name);
      case "generated":
        return expect(generated).toContain("npm run generate");
    }
  });

  test("only a test of behaviour is demanded by no check", () => {
    expect(steps.filter(({ demandedBy }) => demandedBy === undefined).map(({ what }) => what)).toEqual([
      "test its behaviour",
      "test the command",
    ]);
  });
});

/** Returns the files and folders that each numbered item of a recipe names. */
function itemsOf(recipe: string): ReadonlyMap<number, readonly string[]> {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "CONTRIBUTING.md"), "utf8");
  const section = text.split(`\n### ${recipe}\n`)[1]?.split("\n### ")[0] ?? "";
  const items = [...section.matchAll(/^(\d)\. (.*\n(?: {3}.*\n)*)/gm)];
  return new Map(
    items.map(([, number, item = ""]) => [
      Number(number),
      [...item.matchAll(/`((?:events|lib|test|docs)\/[^`]+)`/g)].map(([, path = ""]) => path),
    ]),
  );
}

test.each(["Add a job field", "Add an API operation"])(
  "the recipe %s of CONTRIBUTING.md names the files that its steps change",
  (recipe) => {
    const items = itemsOf(recipe);
    const its = steps.filter((step) => step.recipe === recipe);
    expect([...items.keys()]).toEqual([...new Set(its.map(({ item }) => item))]);
    const isNew = (file: string): boolean => its.some(({ edits }) => edits.some((edit) => edit.file === file && edit.before === undefined));
    for (const [item, named] of items) {
      const changed = its.filter((step) => step.item === item).flatMap(({ edits }) => edits.map(({ file }) => file));
      const unnamed = changed.filter((file) => !named.some((path) => file === path || file.startsWith(`${path}/`)));
      // A new test has a name of its own.
      expect(unnamed.filter((file) => !(isNew(file) && file.startsWith("test/")))).toEqual([]);
    }
  },
);
