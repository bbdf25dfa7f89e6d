import type { Pool } from "../../model/pool.ts";
import { micro } from "../../model/reservations.ts";
import type { MemoryTable } from "../memory/table.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** Clocks of handlers are wrong by some seconds, and what they write is late. */
const toleranceMs = 45_000;
const minBilledMs = 60_000;
const hourMs = 3_600_000;

/** 19: what is charged to a pool is what its machines cost, from their launch until EC2 has accepted their end. */
export const charges: Invariant = {
  number: 19,
  name: "charges are true",
  says: "Each node is charged once, with what its machine has cost.",
  watch: (seen) => {
    const begunMs = new Map<string, number>();
    const stopped = new Set<string>();
    const accounts = new Map<string, Account>();
    return {
      on: (fact) => {
        if (fact.kind === "stopped") stopped.add(fact.id);
        if (fact.kind === "instance") begunMs.set(fact.id, seen().nowMs);
        if (fact.kind !== "reserved") return undefined;
        const { pool } = fact;
        const account = accounts.get(pool.name) ?? opened(pool, seen());
        accounts.set(pool.name, account);
        return wrongCharge(pool, { account, begunMs, stopped, now: seen() });
      },
    };
  },
};

/** `charged`: whole micro-dollars. `knownMs`: since when each node has been in the ledger. */
type Account = { charged: number; readonly paid: Set<string>; readonly knownMs: Map<string, number> };

const opened = ({ name }: Pool, { scenario }: WorldView): Account => ({
  charged: micro(scenario.pools.find((each) => each.name === name)?.spentBefore.usd ?? 0),
  paid: new Set(),
  knownMs: new Map(),
});

const chargedTo = (pool: string, table: MemoryTable): number => [...table.pool(pool).spent.values()].reduce((sum, each) => sum + each, 0);

type Accounting = {
  readonly account: Account;
  readonly begunMs: ReadonlyMap<string, number>;
  readonly stopped: ReadonlySet<string>;
  readonly now: WorldView;
};

function wrongCharge({ name }: Pool, { account, begunMs, stopped, now }: Accounting): InvariantBreach {
  const { table, fleet, nowMs } = now;
  const charged = chargedTo(name, table);
  const more = charged - account.charged;
  account.charged = charged;
  const rows = [...table.nodes.values(), ...[...table.forgotten.values()].map((node) => ({ node, released: true }))];
  let [least, most] = [0, 0];
  const ended: string[] = [];
  // If an instance had ended by itself, or was stopped, it is charged until EC2 said so.
  const wasOver = (id: string): boolean => fleet.instances.get(id)?.over === true || stopped.has(id);
  for (const { node, released } of rows) {
    if (node.pool !== name || account.paid.has(node.id)) continue;
    if (!account.knownMs.has(node.id)) account.knownMs.set(node.id, nowMs);
    if (!released) continue;
    account.paid.add(node.id);
    ended.push(node.id);
    const perMs = micro(node.offer.usdPerHour) / hourMs;
    const livedMs = nowMs - (begunMs.get(node.id) ?? node.launchedAtMs);
    most += perMs * (Math.max(livedMs, minBilledMs) + toleranceMs);
    least += wasOver(node.id) ? 0 : perMs * Math.max(0, nowMs - (account.knownMs.get(node.id) ?? nowMs) - toleranceMs);
  }
  if (more >= least && more <= most) return undefined;
  const whose = ended.length > 0 ? `for ${ended.join(", ")}` : "although no node has ended";
  return `pool ${name} is charged $${more / 1e6} ${whose}, and the machines cost $${least / 1e6} to $${most / 1e6}`;
}
