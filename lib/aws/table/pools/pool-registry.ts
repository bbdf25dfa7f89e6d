import type { PoolRegistry } from "../../../ports/pool-registry.ts";
import { getPartition, putItem, type TableAccess } from "../access.ts";
import { is } from "../expression.ts";
import { bellKey, registryKey, registryPartition } from "../keys.ts";
import { transact } from "../transaction.ts";

export const createPoolRegistry = (access: TableAccess): PoolRegistry => ({
  list: async () => (await getPartition(access, registryPartition)).map((item) => String(item["sk"])),
  add: (pool) => putItem(access, registryKey(pool)),

  async remove(pool, { bell, decidedThrough, busy }) {
    if (busy || bell > decidedThrough) return "stale";
    const entry = { kind: "delete", key: registryKey(pool) } as const;
    // A pool that was never rung has no bell and nothing else.
    if (bell === 0) return (await transact(access, [entry])) === "done" ? "done" : "stale";
    const rests = [is("bell", bell), is("decidedThrough", decidedThrough), is("busy", false)];
    const written = await transact(access, [{ kind: "check", key: bellKey(pool), when: rests }, entry]);
    return written === "done" ? "done" : "stale";
  },
});
