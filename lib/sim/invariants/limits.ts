import type { Reservation } from "../../model/launch.ts";
import type { Limits } from "../../model/limits.ts";
import { micro } from "../../model/reservations.ts";
import { own } from "../../model/values/own.ts";
import { nodeKey } from "../memory/table.ts";
import type { Fact } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** 5: reservations never exceed the limits of pool, team and deployment, and every live instance has a reservation. */
export const limits: Invariant = {
  number: 5,
  name: "limits hold",
  says: "Reserved dollars and GPUs never exceed the limits, not even for a moment.",
  watch: (seen) => ({
    on: (fact) => {
      if (fact.kind === "reserved") return beyond(fact, seen());
      return fact.kind === "instance" ? unreserved(fact, seen()) : undefined;
    },
  }),
};

function beyond(
  { pool, reserved }: Extract<Fact, { kind: "reserved" }>,
  { table, limits: { deployment, teams } }: WorldView,
): InvariantBreach {
  const wider = table.reservedWider();
  const counts: readonly (readonly [string, Reservation, Limits | undefined])[] = [
    [`pool ${pool.name}`, reserved, pool.limits],
    ["the deployment", wider.deployment, deployment],
    ...Object.entries(wider.teams).map(([team, amount]) => [`team ${team}`, amount, own(teams, team)] as const),
  ];
  for (const [whose, { usdPerHour, gpus }, most] of counts) {
    const claim = `${whose} reserves $${usdPerHour}/h and ${gpus} GPUs`;
    if (micro(usdPerHour) < 0 || gpus < 0) return `${claim}, which is negative`;
    const { usdPerHour: maxUsd = Number.POSITIVE_INFINITY, gpus: maxGpus = Number.POSITIVE_INFINITY } = most ?? {};
    if (micro(usdPerHour) > micro(maxUsd) || gpus > maxGpus) return `${claim}, but its limits are ${JSON.stringify(most)}`;
  }
  return undefined;
}

/** Instances whose termination EC2 has accepted are not counted, because their reservations are released. */
function unreserved({ launch }: Extract<Fact, { kind: "instance" }>, { fleet, table }: WorldView): InvariantBreach {
  const isCounted = (id: string): boolean => {
    const key = nodeKey(launch.pool, id);
    return !table.forgotten.has(key) && table.nodes.get(key)?.released !== true;
  };
  const owned = fleet.live.filter((each) => each.launch.pool === launch.pool && isCounted(each.id));
  const usd = owned.reduce((sum, { offer }) => sum + micro(offer.usdPerHour), 0);
  const reserved = table.reserved(launch.pool);
  if (usd <= micro(reserved.usdPerHour)) return undefined;
  return `pool ${launch.pool} has instances for $${usd / 1e6}/h, but reserves $${reserved.usdPerHour}/h`;
}
