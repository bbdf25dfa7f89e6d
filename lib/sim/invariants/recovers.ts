import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

const checkEveryMs = 60_000;

/** 14: after an outage, nodes that are really dead are found. Only scenarios with `recoverMinutes` demand it. */
export const recovers: Invariant = {
  number: 14,
  name: "the dead are found",
  says: "A node whose machine hangs is ended within the scenario's time after the hang, or after the last outage if that is later.",
  watch: (seen) => {
    let checkedMs = 0;
    return {
      on: (fact) => {
        if (fact.kind !== "invoked") return undefined;
        const now = seen();
        if (now.scenario.recoverMinutes === undefined || now.nowMs - checkedMs < checkEveryMs) return undefined;
        checkedMs = now.nowMs;
        return late(now, now.scenario.recoverMinutes * 60_000);
      },
    };
  },
};

function late({ nowMs, scenario, fleet, machine }: WorldView, withinMs: number): InvariantBreach {
  const startMs = Date.parse(scenario.startsAt);
  const outMs = Math.max(0, ...scenario.outages.map(({ untilMinute }) => startMs + untilMinute * 60_000));
  const dead = fleet.live.find(({ id }) => {
    const hungMs = machine(id)?.hungSinceMs;
    return hungMs !== undefined && nowMs - Math.max(hungMs, outMs) > withinMs;
  });
  return dead && `${dead.id} has hung for ${Math.round((nowMs - (machine(dead.id)?.hungSinceMs ?? nowMs)) / 60_000)} min and was not ended`;
}
