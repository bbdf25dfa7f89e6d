/**
 * The optimizer's steps in one decision, per dollar per hour that the nodes of first fit cost: the more they cost, the more a better packing
 * can save. 100,000 steps took 6 to 16 ms of processor time in the benchmark `fleet-cost`, depending on the load of the machine.
 */
const stepsPerUsd = 100_000;
/** The fewest steps of a decision, which suffice for a first plan, and the most: 0.15 to 0.4 s in the same benchmark. */
const [minSteps, maxSteps] = [100_000, 2_500_000];
/** The lower bound takes this share of the search's steps in addition. It does not change the plan. */
const boundShare = 1 / 8;

/** Returns the steps that one decision's searches take together at most if the nodes of first fit cost that much. */
export const packingSteps = (usdPerHour: number): number => Math.round(Math.min(maxSteps, Math.max(minSteps, stepsPerUsd * usdPerHour)));

/** Returns the steps for the lower bound of a packing whose search has that many. */
export const boundSteps = (steps: number): number => Math.ceil(steps * boundShare);

/** What is left for the packings of one decision: steps, and what first fit's nodes cost for the jobs that are not packed yet. */
export type PackingBudget = { readonly steps: number; readonly usdPerHour: number };

export const packingBudget = (usdPerHour: number): PackingBudget => ({ steps: packingSteps(usdPerHour), usdPerHour });

/** Returns the steps for the next packing, in proportion to what first fit's nodes cost for it. */
export const stepsFor = (usdPerHour: number, left: PackingBudget): number =>
  Math.floor(left.steps * Math.min(1, left.usdPerHour > 0 ? usdPerHour / left.usdPerHour : 1));

/** Returns what is left after a packing that used `steps`. What it did not use is left to the others. */
export const afterPacking = (left: PackingBudget, { usdPerHour, steps }: PackingBudget): PackingBudget => ({
  steps: Math.max(0, left.steps - steps),
  usdPerHour: Math.max(0, left.usdPerHour - usdPerHour),
});
