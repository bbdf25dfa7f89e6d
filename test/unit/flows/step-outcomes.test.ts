import { expect, test } from "vitest";
import { stepByStep, stepOutcomes } from "../../../lib/flows/place/step-outcomes.ts";
import type { Step } from "../../../lib/model/plan.ts";
import { anEntry } from "../../fakes/builders.ts";

const bind = (job: string, node: string): Step => ({ kind: "bind", entry: anEntry({ job }), node, because: "" });

test("steps about one node run one after the other, in their order, and those about different nodes at the same time", async () => {
  const steps = [bind("a", "one"), bind("b", "one"), bind("c", "two"), bind("d", "one"), bind("e", "two")];
  const began: string[] = [];
  const open = new Map<string, number>();
  let most = 0;
  const outcomes = stepOutcomes(() => undefined);
  await stepByStep(steps, outcomes, async (step) => {
    if (step.kind !== "bind") throw new Error(step.kind);
    began.push(step.entry.job);
    open.set(step.node, (open.get(step.node) ?? 0) + 1);
    expect(open.get(step.node)).toBe(1);
    most = Math.max(most, [...open.values()].filter((count) => count > 0).length);
    await new Promise((resolve) => setTimeout(resolve, 1));
    open.set(step.node, 0);
    return { result: "done", note: step.entry.job };
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
