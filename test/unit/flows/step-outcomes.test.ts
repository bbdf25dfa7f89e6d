import { expect, test } from "vitest";
import { stepByStep, stepOutcomes } from "../../../lib/flows/place/step-outcomes.ts";
import type { Step } from "../../../lib/model/plan.ts";
import { anEntry } from "../../fakes/builders.ts";

const bind = (job: string, node: string): Step => ({ kind: "bind", entry: anEntry({ job }), node, because: "" });
const drain = (because: string, node: string): Step => ({ kind: "drain", node, untilMs: 1, because });

test("steps about one node run one after the other, in their order, and those about different nodes at the same time", async () => {
  const steps = [drain("a", "one"), drain("b", "one"), drain("c", "two"), drain("d", "one"), drain("e", "two")];
  const began: string[] = [];
  const open = new Map<string, number>();
  let most = 0;
  const outcomes = stepOutcomes(() => undefined);
  await stepByStep(steps, outcomes, async (step) => {
    if (step.kind !== "drain") throw new Error(step.kind);
    began.push(step.because);
    open.set(step.node, (open.get(step.node) ?? 0) + 1);
    expect(open.get(step.node)).toBe(1);
    most = Math.max(most, [...open.values()].filter((count) => count > 0).length);
    await new Promise((resolve) => setTimeout(resolve, 1));
    open.set(step.node, 0);
    return { result: "done", note: step.because };
  });
  expect(most).toBe(2);
  expect(began.filter((job) => "abd".includes(job))).toEqual(["a", "b", "d"]);
  expect(steps.map((step) => outcomes.of(step))).toMatchObject([..."abcde"].map((note) => ({ result: "done", note })));
});

test("a step that fails does not stop the next one about its node", async () => {
  const steps = [bind("a", "one"), bind("b", "one")];
  const outcomes = stepOutcomes(() => undefined);
  await stepByStep(steps, outcomes, async (step) => {
    if (step === steps[0]) throw new Error("no");
    return { result: "done", note: "" };
  });
  expect(steps.map((step) => outcomes.of(step).result)).toEqual(["failed", "done"]);
});

test("binds to one node that follow each other are taken at once, at most 32, and not with a step between them", async () => {
  const binds = (from: number, count: number): Step[] => Array.from({ length: count }, (_, n) => bind(`j${from + n}`, "one"));
  const steps = [...binds(0, 40), drain("d", "one"), ...binds(40, 2)];
  const groups: number[] = [];
  let open = 0;
  await stepByStep(
    steps,
    stepOutcomes(() => undefined),
    async () => {
      open += 1;
      groups.push(open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return { result: "done", note: "" };
    },
  );
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
  expect(groups).toEqual([...numbers(32), ...numbers(8), 1, ...numbers(2)]);
});
