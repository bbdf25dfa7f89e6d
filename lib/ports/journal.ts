import type { Plan, Snapshot } from "../model/plan.ts";

/** One decision with all of its input, so that it can be made again. */
export type DecisionRecord = {
  readonly id: string;
  readonly pool: string;
  readonly epoch: number;
  readonly atMs: number;
  /** What rang the bell since the decision before; empty if that is not known, or if the bell did not ring. */
  readonly causes: readonly string[];
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  /** The outcome of each step, in the plan's order. */
  readonly outcomes: readonly string[];
};

/** Keeps the decisions that did something or have an unusual cause. */
export interface Journal {
  record(decision: DecisionRecord): Promise<void>;
}
