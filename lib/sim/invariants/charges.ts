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
    const accounts = new Map<string, Account>();
    return {
      on: (fact) => {
        if (fact.kind === "instance") begunMs.set(fact.id, seen().nowMs);
        if (fact.kind !== "reserved") return undefined;
        const { pool } = fact;
        const account = accounts.get(pool.name) ?? opened(pool, seen());
        accounts.set(pool.name, account);
        return wrongCharge(pool, { account, begunMs, now: seen() });
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

function wrongCharge(
  { name }: Pool,
  { account, begunMs, now }: { account: Account; begunMs: ReadonlyMap<string, number>; now: WorldView },
): InvariantBreach {
  const { table, fleet, nowMs } = now;
  const charged = chargedTo(name, table);
  const more = charged - account.charged;
  account.charged = charged;
  const rows = [...table.nodes.values(), ...[...table.forgotten.values()].map((node) => ({ node, released: true }))];
  let [least, most] = [0, 0];
  const ended: string[] = [];
  for (const { node, released } of rows) {
    if (node.pool !== name || account.paid.has(node.id)) continue;
    if (!account.knownMs.has(node.id)) account.knownMs.set(node.id, nowMs);
    if (!released) continue;
    account.paid.add(node.id);
    ended.push(node.id);
    const perMs = micro(node.offer.usdPerHour) / hourMs;
    const livedMs = nowMs - (begunMs.get(node.id) ?? node.launchedAtMs);
    most += perMs * (Math.max(livedMs, minBilledMs) + toleranceMs);
    // If the instance had ended by itself, it is charged until EC2 said so.
    const isOver = fleet.instances.get(node.id)?.over === true;
    least += isOver ? 0 : perMs * Math.max(0, nowMs - (account.knownMs.get(node.id) ?? nowMs) - toleranceMs);
  }
  if (more >= least && more <= most) return undefined;
  const whose = ended.length > 0 ? `for ${ended.join(", ")}` : "although no node has ended";
  return `pool ${name} is charged $${more / 1e6} ${whose}, and the machines cost $${least / 1e6} to $${most / 1e6}`;
}
