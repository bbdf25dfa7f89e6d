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

/** This many nodes are changed at the same time. */
const concurrency = 16;
/** This many jobs are bound to one node at the same time, because the table binds them together. */
const bindsAtOnce = 32;

/**
 * Calls `take` for each step, and puts its outcome. Steps about one node run one after the other, because concurrent transactions on its
 * item would cancel each other, but for binds. Steps about different nodes do not depend on each other. A step that fails does not stop
 * the others.
 */
export async function stepByStep<S extends Step>(
  steps: readonly S[],
  outcomes: StepOutcomes,
  take: (step: S) => Promise<StepOutcome>,
): Promise<void> {
  const takeOne = async (step: S): Promise<void> => {
    if (outcomes.isFenced()) return outcomes.put(step, fencedOff);
    try {
      outcomes.put(step, await take(step));
    } catch (error) {
      outcomes.put(step, failedBy(error));
    }
  };
  const byNode = Map.groupBy<string | S, S>(steps, (step) => nodeOfStep(step) ?? step);
  await pMap(
    byNode.values(),
    async (those) => {
      for (const together of atOnce(those)) await Promise.all(together.map(takeOne));
    },
    { concurrency },
  );
}

/** Splits the steps about a node into those that are taken at once: binds that follow each other, or a single other step. */
function atOnce<S extends Step>(steps: readonly S[]): readonly (readonly S[])[] {
  const groups: S[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last && last.length < bindsAtOnce && step.kind === "bind" && last[0]?.kind === "bind") last.push(step);
    else groups.push([step]);
  }
  return groups;
}

/** Returns the node that the step changes: of a gang's nodes the first, because no other step is about one of them. */
function nodeOfStep(step: Step): string | undefined {
  if ("node" in step) return step.node;
  return step.kind === "bind-gang" ? step.nodes[0] : undefined;
}

export function nodeIn(snapshot: Snapshot, id: string): Node {
  const node = snapshot.nodes.find((each) => each.id === id);
  if (!node) throw new Error(`the plan names node ${id}, which its snapshot does not have`);
  return node;
}
