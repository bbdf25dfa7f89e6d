import { judgeOrphans } from "../../decide/health/orphans.ts";
import type { Ports } from "../../ports/ports.ts";

export type SweepOrphansDeps = Pick<Ports, "budget" | "instances" | "orphans"> & {
  readonly fleet: Pick<Ports["fleet"], "terminate">;
  readonly now: () => number;
};

/** `noted`: instances with the deployment's name but without an owner; `ended`: those of them whose end EC2 has accepted. */
export type Swept = { readonly noted: number; readonly ended: readonly string[] };

/**
 * Ends the deployment's instances that have no owner, in two steps: they are noted when they are first seen, and ended if they are
 * still unowned in a successful check at least ten minutes later. The ledger is read again right before that. A check that fails
 * changes nothing; a later sweep ends what this one does not.
 */
export async function sweepOrphans(deps: SweepOrphansDeps): Promise<Swept> {
  const { orphans, now } = deps;
  const found = (await hasTurn(deps, "describe", 1)) ? await deps.instances.list() : undefined;
  if (!found) return { noted: 0, ended: [] };
  const [unowned, noted] = await Promise.all([orphans.unowned(found), orphans.recorded()]);
  if (unowned.length === 0 && noted.size === 0) return { noted: 0, ended: [] };
  const { since, ends } = judgeOrphans({ unowned, noted, nowMs: now() });
  await orphans.record(since);
  return { noted: since.size, ended: ends.length === 0 ? [] : await end(deps, ends) };
}

async function end(deps: SweepOrphansDeps, ends: Parameters<Ports["orphans"]["unowned"]>[0]): Promise<readonly string[]> {
  const still = (await deps.orphans.unowned(ends)).map(({ id }) => id);
  if (still.length === 0 || !(await hasTurn(deps, "terminate", still.length))) return [];
  const ended = new Map(await deps.fleet.terminate(still));
  // If the call failed because of one of them, that one must not keep the others alive.
  for (const id of still.filter((each) => ended.get(each) === "apart")) {
    if (!(await hasTurn(deps, "terminate", 1))) break;
    ended.set(id, (await deps.fleet.terminate([id])).get(id) ?? "unknown");
  }
  return still.filter((id) => ended.get(id) === "accepted");
}

/** Returns whether there is a turn at EC2 now. A sweep is not urgent, so without a turn it is left to the next one. */
async function hasTurn({ budget, now }: SweepOrphansDeps, kind: "describe" | "terminate", instances: number): Promise<boolean> {
  return (await budget.acquire({ kind, priority: "end", instances, nowMs: now() })).kind === "granted";
}
