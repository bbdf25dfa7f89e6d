import { maxCauses } from "../../model/cause.ts";
import { acrossPools } from "../../model/overrides/overrides.ts";
import { subjectName } from "../../model/refusal.ts";
import { heardAt } from "../../model/values/hearing.ts";
import type { Bell } from "../../ports/bell.ts";
import type { CatalogueStore, Decisions } from "../../ports/pool-ledger.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import { type MemoryTable, present } from "./table.ts";

export const memoryBell = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Bell => ({
  ring: (pool, cause) =>
    wire.call("bell.ring", () => {
      const row = table.pool(pool);
      row.bell += 1;
      if (row.causes.length < maxCauses) row.causes = [...new Set([...row.causes, cause])];
      return { wasQuiet: row.bell - 1 === row.decidedThrough };
    }),
});

export const memoryDecisions = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Decisions => ({
  begin: (pool) =>
    wire.call("decisions.begin", () => {
      const row = table.pool(pool);
      row.epoch += 1;
      const begun = { fence: { pool, epoch: row.epoch }, ringsSeen: row.bell, causes: [...row.causes].sort() };
      row.causes = [];
      return { ...begun, ...present({ wakeAtMs: row.wakeAtMs, lookedAtMs: row.lookedAtMs }) };
    }),
  load: (pool, nowMs) =>
    wire.call("decisions.load", () => ({
      reserved: table.reserved(pool),
      reservedWider: table.reservedWider(),
      spent: table.spent(pool, nowMs),
      nodes: [...table.nodes.values()]
        .map((row) => row.node)
        .filter((node) => node.pool === pool)
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
      openLaunches: [...table.openLaunches.values()].filter((launch) => launch.pool === pool).sort((a, b) => (a.id < b.id ? -1 : 1)),
      catalogue: table.catalogues.get(pool),
      refusals: [...table.refusals.values()]
        .filter((refusal) => refusal.why !== "fault" || refusal.pool === pool)
        .sort((a, b) => (subjectName(a) < subjectName(b) ? -1 : 1)),
      bootFailures: [...(table.bootFailures.get(pool)?.entries() ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, failure]) => failure),
      silentEnds: [...(table.silentEnds.get(pool)?.values() ?? [])].sort((a, b) => (a.node < b.node ? -1 : 1)),
      ...(table.hearing && { hearing: table.hearing }),
      ...((table.backOffs.get(pool)?.length ?? 0) > 0 && { backOffs: table.backOffs.get(pool) }),
      learned: table.learned.get(pool),
      ...present({ overrides: table.overrides.get(pool), widerOverrides: table.overrides.get(acrossPools) }),
    })),
  waiting: (pool, nowMs) =>
    table.queue.isLong(pool)
      ? wire.call("decisions.waiting", () => undefined).then(() => table.queue.read(pool, nowMs))
      : wire.call("decisions.waiting", () => table.queue.whole(pool)),
  countQueued: (pool) => wire.call("decisions.countQueued", () => table.queueOf(pool).length),
  heard: (atMs) =>
    wire.call("decisions.heard", () => {
      table.hearing = heardAt(table.hearing, atMs);
    }),
  resetLearning: (pool) => wire.call("decisions.resetLearning", () => void table.learned.delete(pool)),
  isCurrent: (fence) => wire.call("decisions.isCurrent", () => !table.isFenced(fence)),
  finish: (fence, { ringsSeen, busy, wakeAtMs, lookedAtMs }) =>
    wire.call("decisions.finish", () => {
      if (table.isFenced(fence)) return "fenced";
      const row = table.pool(fence.pool);
      row.decidedThrough = ringsSeen;
      row.busy = busy;
      row.wakeAtMs = wakeAtMs;
      row.lookedAtMs = lookedAtMs ?? row.lookedAtMs;
      return row.bell > ringsSeen ? "rang" : "quiet";
    }),
  state: (pool) =>
    wire.call("decisions.state", () => {
      const { bell, decidedThrough, epoch, busy } = table.pool(pool);
      return { bell, decidedThrough, epoch, reserved: table.reserved(pool), busy };
    }),
});

export const memoryCatalogues = (table: MemoryTable, wire: Interruptions<LedgerMethod>): CatalogueStore => ({
  get: (pool) => wire.call("catalogues.get", () => table.catalogues.get(pool)),
  put: (pool, catalogue) => wire.call("catalogues.put", () => void table.catalogues.set(pool, structuredClone(catalogue))),
});
