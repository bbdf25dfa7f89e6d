import { keptMs } from "../../../model/values/kept.ts";
import type { OutboxClaims } from "../../../ports/islands/outboxes.ts";
import { type TableAccess, tryUpdate } from "../access.ts";
import { either, is, isAbsent, isBelow, set } from "../expression.ts";
import { outboxClaimKey } from "../keys.ts";
import { ttlAfter } from "../stored.ts";
import { transact } from "../transaction.ts";

export const createOutboxClaims = (access: TableAccess): OutboxClaims => ({
  async claim(outbox, { beforeMs, atMs }) {
    const when = [either(isAbsent("claimedAtMs"), isBelow("claimedAtMs", beforeMs))];
    const changes = [set("claimedAtMs", atMs), set("ttl", ttlAfter(atMs, keptMs.outboxClaim))];
    return (await tryUpdate(access, outboxClaimKey(outbox), { changes, when })) !== undefined;
  },
  async release(outbox, claimedAtMs) {
    await transact(access, [{ kind: "delete", key: outboxClaimKey(outbox), when: [is("claimedAtMs", claimedAtMs)] }]);
  },
});
