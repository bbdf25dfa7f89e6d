import { outageTimes } from "../faults/outages.ts";
import type { WorldView } from "../world/seen.ts";
import { atMostEvery, type Invariant, type InvariantBreach } from "./invariant.ts";

const checkEveryMs = 60_000;

/** 14: after an outage, nodes that are really dead are found. Only scenarios with `recoverMinutes` demand it. */
export const recovers: Invariant = {
  number: 14,
  name: "the dead are found",
  says: "A node whose machine hangs, or has no network, is ended within the scenario's time after that, or after the last outage, or the last refusal of EC2, if that is later. While EC2 refuses, it ends itself within its pool's hours and dollars.",
  watch: (seen) => {
    const isDue = atMostEvery(checkEveryMs);
    return {
      on: (fact) => {
        if (fact.kind !== "invoked") return undefined;
        const now = seen();
        if (now.scenario.recoverMinutes === undefined || !isDue(now.nowMs)) return undefined;
        return late(now, now.scenario.recoverMinutes * 60_000);
      },
    };
  },
};

function late(now: WorldView, withinMs: number): InvariantBreach {
  const { nowMs, scenario, fleet, machine } = now;
  const startMs = Date.parse(scenario.startsAt);
  const refusals = scenario.hangs.map(({ atMinute, refusedHours }) => startMs + (atMinute + refusedHours * 60) * 60_000);
  const outMs = Math.max(0, ...outageTimes(scenario).map(({ untilMs }) => untilMs), ...refusals);
  for (const instance of fleet.live) {
    const silentMs = machine(instance.id)?.unreachableSinceMs;
    if (silentMs === undefined) continue;
    const isProtected = fleet.protected.has(instance.id);
    if (isProtected && machine(instance.id)?.hungSinceMs !== undefined) continue;
    const mostMs = isProtected ? islandMs(instance, now) + islandGraceMs : withinMs;
    if (nowMs - Math.max(silentMs, outMs) > mostMs)
      return `${instance.id} has been out of reach for ${Math.round((nowMs - silentMs) / 60_000)} min and has not ended`;
  }
  return undefined;
}

/** A worker looks once a minute whether it should end its node, its clock may be slow, and its programs take a while to stop. */
const islandGraceMs = 60 * 60_000;

/** Returns how long a node may cost money while EC2 refuses to end it: it must end itself. */
function islandMs({ launch, offer }: WorldView["fleet"]["live"][number], { pools }: WorldView): number {
  const { islandHours = 24, islandUsd = Number.POSITIVE_INFINITY } = pools.find(({ name }) => name === launch.pool) ?? {};
  return Math.min(islandHours, islandUsd / offer.usdPerHour) * 3_600_000;
}
