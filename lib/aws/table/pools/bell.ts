import { type Cause, maxCauses } from "../../../model/cause.ts";
import type { Bell } from "../../../ports/bell.ts";
import { ConditionsFailed, type TableAccess, updateItem } from "../access.ts";
import { add, type Change, hasFewerThan, include } from "../expression.ts";
import { bellOf } from "../items/pool-item.ts";
import { bellKey } from "../keys.ts";

/** Returns the changes of a ring. In a transaction, the cause is kept even if there are already as many as are otherwise kept. */
export const rings = (cause: Cause): Change[] => [add("bell", 1), include("causes", cause)];

export const createBell = (access: TableAccess): Bell => ({
  async ring(pool, cause) {
    const { item, repeated } = await rung(access, pool, cause);
    const { bell, decidedThrough } = bellOf(item);
    // A ring that was sent twice may have counted twice. It counts as quiet, because one wake too many is harmless.
    return { wasQuiet: bell - 1 === decidedThrough || repeated };
  },
});

/** Rings the bell. If it already has the most causes, it was rung since the last decision began, and only the counter grows. */
async function rung(access: TableAccess, pool: string, cause: Cause): ReturnType<typeof updateItem> {
  try {
    return await updateItem(access, bellKey(pool), {
      changes: rings(cause),
      when: [hasFewerThan("causes", maxCauses)],
    });
  } catch (error) {
    if (!(error instanceof ConditionsFailed)) throw error;
    return updateItem(access, bellKey(pool), { changes: [add("bell", 1)] });
  }
}
