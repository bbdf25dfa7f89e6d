import { type Item, type TableAccess, tryUpdate } from "../access.ts";
import { add, either, isAbsent, isBelow, set } from "../expression.ts";
import { queueOfTeamKey } from "../keys.ts";

/** Returns a team that ever had a job in a pool's queue, and about how many wait. A count that cannot be read is 0 until the next count. */
export function queueOfTeam({ sk, queued }: Item): { readonly team: string; readonly queued: number } {
  return { team: String(sk), queued: typeof queued === "number" ? queued : 0 };
}

/**
 * Counts one more job of a team's queue, and makes the queue known to decisions. Returns false, and counts nothing, if `most` jobs wait.
 * Nothing counts jobs that leave the queue until `setQueued` does, so a count is never too low for longer than that takes.
 */
export const countQueued = async (access: TableAccess, of: { pool: string; team: string; most?: number | undefined }): Promise<boolean> => {
  const when = of.most === undefined ? [] : [either(isAbsent("queued"), isBelow("queued", of.most))];
  return (await tryUpdate(access, queueOfTeamKey(of.pool, of.team), { changes: [add("queued", 1)], when })) !== undefined;
};

/** Sets the count to the number of jobs that were found in the queue. */
export const setQueued = async (access: TableAccess, of: { pool: string; team: string; queued: number }): Promise<void> => {
  await tryUpdate(access, queueOfTeamKey(of.pool, of.team), { changes: [set("queued", of.queued)], when: [] });
};
