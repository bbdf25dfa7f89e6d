import type { Plan, Snapshot } from "../model/plan.ts";

/** One decision, as it was made: enough to make it again. */
export type Decision = {
  readonly id: string;
  readonly pool: string;
  readonly epoch: number;
  readonly atMs: number;
  /** Who rang the bell since the decision before; empty where that is not known, or nobody did. */
  readonly causes: readonly string[];
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  /** What came of each step, in the plan's order. */
  readonly outcomes: readonly string[];
};

/** Keeps decisions that acted, or that somebody may ask about. */
export interface Journal {
  record(decision: Decision): Promise<void>;
}
