import { noOverrides } from "../../../model/overrides/overrides.ts";
import type { PoolOverrides } from "../../../ports/overrides.ts";
import { getItem, type TableAccess, tryUpdate } from "../access.ts";
import { is, isAbsent, setAll } from "../expression.ts";
import { overridesOf } from "../items/overrides-item.ts";
import { overridesKey } from "../keys.ts";

export const createOverrides = (access: TableAccess): PoolOverrides => ({
  get: async (pool) => overridesOf(await getItem(access, overridesKey(pool))).overrides ?? noOverrides,

  async replace(pool, { version, paused, settings, teams, nodes, history }) {
    const written = await tryUpdate(access, overridesKey(pool), {
      changes: setAll({ version, paused, settings, teams, nodes, history }),
      when: [version === 1 ? isAbsent("version") : is("version", version - 1)],
    });
    return written ? "done" : "stale";
  },
});
