import { nodeKey } from "../memory/table.ts";
import type { Fact } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

const hourMs = 3_600_000;
/** A node that has been out of reach for this long is ended for nothing else, unless it drains. */
const silentMs = 150_000;
/** A decision writes its step before EC2 is asked, which may take some tries. */
const graceMs = 5 * 60_000;
const maxShare = 0.1;

type End = { readonly id: string; readonly place: string; readonly atMs: number };

/** 22: few nodes are ended for silence at a time, because a network that is gone looks like many dead nodes. */
export const brake: Invariant = {
  number: 22,
  name: "the brake holds",
  says: "Of the nodes of a pool in a zone, at most a tenth, and always one, are ended for silence in an hour.",
  watch: (seen) => {
    const ends: End[] = [];
    return { on: (fact) => (fact.kind === "terminated" ? tooMany(fact, ends, seen()) : undefined) };
  },
};

function tooMany({ id }: Extract<Fact, { kind: "terminated" }>, ends: End[], now: WorldView): InvariantBreach {
  const { fleet, nowMs } = now;
  const instance = fleet.instances.get(id);
  if (!instance || ends.some((end) => end.id === id) || !isSilent(id, instance.launch.pool, now)) return undefined;
  const place = `${instance.launch.pool} in ${instance.zone}`;
  ends.push({ id, place, atMs: nowMs });
  const recent = ends.filter((end) => end.place === place && nowMs - end.atMs < hourMs - graceMs);
  const nodes = fleet.live.filter((each) => `${each.launch.pool} in ${each.zone}` === place).length + recent.length;
  const most = Math.max(1, Math.floor(maxShare * nodes));
  return recent.length > most ? `${recent.map((end) => end.id).join(", ")} of ${place} were ended for silence within an hour` : undefined;
}

/** Reports whether the node can only have been ended because its worker is silent: it works, and nothing else takes it out of use. */
function isSilent(id: string, pool: string, { table, machine, nowMs }: WorldView): boolean {
  const node = table.nodes.get(nodeKey(pool, id))?.node;
  const silentSinceMs = machine(id)?.unreachableSinceMs;
  if (!node || silentSinceMs === undefined || nowMs - silentSinceMs < silentMs) return false;
  return node.readyAtMs !== undefined && node.drain === undefined && node.notice === undefined && node.assignments.length > 0;
}

/** What `backOffsAfter` allows in an hour, and as much again, because a decision that dies cannot note that it has tried. */
const mostAnHour = 30;

/** 23: what EC2 refuses is asked for seldom. */
export const spaced: Invariant = {
  number: 23,
  name: "refusals are spaced",
  says: "An instance that EC2 refuses to end is asked for at most 30 times in any hour.",
  watch: (seen) => {
    /** When the end of each refused instance was asked for, in the last hour. */
    const askedMs = new Map<string, readonly number[]>();
    let counted = 0;
    return {
      on: (fact) => {
        if (fact.kind !== "invoked") return undefined;
        const { fleet, nowMs } = seen();
        const alone = fleet.endsRequested.slice(counted).filter((ids) => ids.length === 1);
        counted = fleet.endsRequested.length;
        for (const id of alone.flat().filter((each) => fleet.protected.has(each))) {
          const recent = [...(askedMs.get(id) ?? []).filter((atMs) => nowMs - atMs < hourMs), nowMs];
          if (recent.length > mostAnHour) return `EC2 was asked ${recent.length} times in an hour to end ${id}, which it refuses`;
          askedMs.set(id, recent);
        }
        return undefined;
      },
    };
  },
};
