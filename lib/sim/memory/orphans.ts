import { outboxKey } from "../../../events/outbox/outbox.ts";
import type { TaggedInstance } from "../../model/tagged-instance.ts";
import type { OutboxClaims } from "../../ports/islands/outboxes.ts";
import type { Orphans, TaggedInstances } from "../../ports/orphans.ts";
import type { PoolRegistry } from "../../ports/pool-registry.ts";
import type { MemoryFleet } from "./fleet.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import { type MemoryTable, nodeKey } from "./table.ts";

export const memoryPoolRegistry = (table: MemoryTable, wire: Interruptions<LedgerMethod>): PoolRegistry => ({
  list: () => wire.call("registry.list", () => [...table.registry].sort()),
  add: (pool) => wire.call("registry.add", () => void table.registry.add(pool)),
  remove: (pool, state) =>
    wire.call("registry.remove", () => {
      const { bell, decidedThrough, busy } = table.pool(pool);
      const isAtRest = !busy && bell === decidedThrough && bell === state.bell;
      if (!isAtRest || state.busy) return "stale";
      table.registry.delete(pool);
      return "done";
    }),
});

export const memoryOrphans = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Orphans => ({
  unowned: (instances) =>
    wire.call("orphans.unowned", () =>
      instances.filter(({ id, launch }) => {
        const pool = table.instances.get(id);
        const isNode = pool !== undefined && table.nodes.has(nodeKey(pool, id));
        return !isNode && !(launch !== undefined && table.openLaunches.has(launch));
      }),
    ),
  recorded: () => wire.call("orphans.recorded", () => new Map(table.orphans)),
  record: (since) =>
    wire.call("orphans.record", () => {
      table.orphans.clear();
      for (const [id, atMs] of since) table.orphans.set(id, atMs);
    }),
});

export const memoryOutboxClaims = ({ outboxClaims }: MemoryTable, wire: Interruptions<LedgerMethod>): OutboxClaims => ({
  claim: (outbox, { beforeMs, atMs }) =>
    wire.call("outboxClaims.claim", () => {
      if ((outboxClaims.get(outboxKey(outbox)) ?? Number.NEGATIVE_INFINITY) >= beforeMs) return false;
      outboxClaims.set(outboxKey(outbox), atMs);
      return true;
    }),
  release: (outbox, claimedAtMs) =>
    wire.call("outboxClaims.release", () => {
      if (outboxClaims.get(outboxKey(outbox)) === claimedAtMs) outboxClaims.delete(outboxKey(outbox));
    }),
});

/** The live instances of a MemoryFleet. If `deaf` is true, EC2 cannot be asked. */
export class MemoryTaggedInstances implements TaggedInstances {
  deaf = false;
  readonly #fleet: MemoryFleet;
  readonly #launchedAtMs: (id: string) => number;

  constructor(fleet: MemoryFleet, launchedAtMs: (id: string) => number) {
    this.#fleet = fleet;
    this.#launchedAtMs = launchedAtMs;
  }

  async list(): Promise<readonly TaggedInstance[] | undefined> {
    if (this.deaf) return undefined;
    return this.#fleet.live.map(({ id, launch }) => ({
      id,
      launch: launch.id,
      pool: launch.pool,
      launchedAtMs: this.#launchedAtMs(id),
      ending: false,
    }));
  }
}
