import { judgeStrays } from "../../decide/health/strays.ts";
import type { Fleet } from "../../ports/fleet.ts";
import type { RequestBudget } from "../../ports/request-budget.ts";
import type { Strays, TaggedInstances } from "../../ports/strays.ts";

export type SweepStraysDeps = {
  readonly instances: TaggedInstances;
  readonly strays: Strays;
  readonly fleet: Pick<Fleet, "terminate">;
  readonly budget: RequestBudget;
  readonly now: () => number;
};

/** `noted`: instances that bear our name and that nobody owns; `ended`: those of them whose end EC2 has accepted. */
export type Swept = { readonly noted: number; readonly ended: readonly string[] };

/**
 * Ends instances of ours that nobody owns, in two steps: they are noted when they are seen first, and ended when they are
 * unowned still in a look that went well, ten minutes later or more. The ledger is asked again right before. A look that did
 * not go well changes nothing; what is not ended now is by a later sweep.
 */
export async function sweepStrays(deps: SweepStraysDeps): Promise<Swept> {
  const { strays, now } = deps;
  const found = (await mayAsk(deps, "describe", 1)) ? await deps.instances.list() : undefined;
  if (!found) return { noted: 0, ended: [] };
  const [unowned, noted] = await Promise.all([strays.unowned(found), strays.noted()]);
  if (unowned.length === 0 && noted.size === 0) return { noted: 0, ended: [] };
  const { since, ends } = judgeStrays({ unowned, noted, nowMs: now() });
  await strays.note(since);
  return { noted: since.size, ended: ends.length === 0 ? [] : await end(deps, ends) };
}

async function end(deps: SweepStraysDeps, ends: Parameters<Strays["unowned"]>[0]): Promise<readonly string[]> {
  const still = (await deps.strays.unowned(ends)).map(({ id }) => id);
  if (still.length === 0 || !(await mayAsk(deps, "terminate", still.length))) return [];
  const ended = await deps.fleet.terminate(still);
  return still.filter((id) => ended.get(id) === "accepted");
}

/** Nobody waits for a sweep: without a turn it is left to the next one. */
async function mayAsk({ budget, now }: SweepStraysDeps, kind: "describe" | "terminate", instances: number): Promise<boolean> {
  return (await budget.take({ kind, lane: "end", instances, nowMs: now() })).kind === "granted";
}
