import pMap from "p-map";
import type { Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { failedBy, fencedOff, type StepOutcome } from "../ec2/outcome.ts";

/** The outcome of each step so far; the last one put for a step counts. */
export type StepOutcomes = {
  put(step: Step, outcome: StepOutcome): void;
  of(step: Step): StepOutcome;
  /** Reports whether a step has found out that a later decision has begun. */
  isFenced(): boolean;
};

/** `onFailure` is called for each step that failed. */
export function stepOutcomes(onFailure: (step: Step, outcome: Extract<StepOutcome, { result: "failed" }>) => void): StepOutcomes {
  const outcomes = new Map<Step, StepOutcome>();
  let fenced = false;
  return {
    put(step, outcome) {
      fenced ||= outcome.result === "fenced";
      if (outcome.result === "failed") onFailure(step, outcome);
      outcomes.set(step, outcome);
    },
    of: (step) => outcomes.get(step) ?? { result: "failed", note: "nothing was done" },
    isFenced: () => fenced,
  };
}

/** Steps do not depend on each other, so this many run at the same time. */
const concurrency = 16;

/** Calls `take` for each step, and puts its outcome. A step that fails does not delay the others. */
export async function stepByStep<S extends Step>(
  steps: readonly S[],
  outcomes: StepOutcomes,
  take: (step: S) => Promise<StepOutcome>,
): Promise<void> {
  await pMap(
    steps,
    async (step) => {
      if (outcomes.isFenced()) return outcomes.put(step, fencedOff);
      try {
        outcomes.put(step, await take(step));
      } catch (error) {
        outcomes.put(step, failedBy(error));
      }
    },
    { concurrency },
  );
}

export function nodeIn(snapshot: Snapshot, id: string): Node {
  const node = snapshot.nodes.find((each) => each.id === id);
  if (!node) throw new Error(`the plan names node ${id}, which its snapshot does not have`);
  return node;
}
