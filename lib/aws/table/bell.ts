import type { Bell } from "../../ports/bell.ts";
import { type TableAccess, updateItem } from "./access.ts";
import { add } from "./expression.ts";
import { bellKey } from "./keys.ts";
import { bellOf } from "./pool-item.ts";

export const createBell = (access: TableAccess): Bell => ({
  async ring(pool) {
    const { item, repeated } = await updateItem(access, bellKey(pool), { changes: [add("bell", 1)] });
    const { bell, decidedThrough } = bellOf(item);
    // A ring that was sent twice may have counted twice, the first time unheard: waking once too often is harmless.
    return { wasQuiet: bell - 1 === decidedThrough || repeated };
  },
});
