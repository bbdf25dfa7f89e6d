import { attemptName } from "../../../model/job.ts";
import { outageTimes } from "../../faults/outages.ts";
import type { Scenario } from "../../world/scenario.ts";
import type { WorldView } from "../../world/seen.ts";
import { atMostEvery, type Invariant, type InvariantBreach } from "../invariant.ts";

const checkEveryMs = 30_000;
/** A message that fails waits at most ten minutes for the next try. */
const withinMs = 15 * 60_000;
/** A message that fails for an hour is delivered ten times. */
const mostEach = 10;

/** 25: an outage of KMS is waited for calmly, and what could not be sealed is sealed soon after. Only scenarios with such an outage demand it. */
export const resealed: Invariant = {
  number: 25,
  name: "seals are repeated calmly",
  says: "While KMS is out of reach for an hour, each upload is tried at most ten times, and 15 minutes after that all are sealed.",
  watch: (seen) => {
    const { scenario } = seen();
    const endMs = keysBackMs(scenario);
    if (endMs === undefined) return {};
    const uploads = new Set<string>();
    let tries = 0;
    const isDue = atMostEvery(checkEveryMs, endMs + withinMs);
    return {
      on: (fact) => {
        if (fact.kind === "uploaded" && seen().nowMs < endMs) uploads.add(attemptName(fact.attempt));
        if (fact.kind !== "invoked") return undefined;
        if (fact.handler === "seal-artifact") tries += 1;
        const now = seen();
        if (now.nowMs < endMs && tries > mostEach * uploads.size + mostEach) return `${uploads.size} uploads were tried ${tries} times`;
        return isDue(now.nowMs) ? unsealed(uploads, now) : undefined;
      },
    };
  },
};

/** Returns when KMS can be reached again; undefined if it always can be. */
function keysBackMs(scenario: Scenario): number | undefined {
  const ends = outageTimes(scenario, "keys").map(({ untilMs }) => untilMs);
  return ends.length > 0 ? Math.max(...ends) : undefined;
}

function unsealed(uploads: ReadonlySet<string>, { table }: WorldView): InvariantBreach {
  const job = [...table.jobs.values()].find((each) => each.state === "sealing" && uploads.has(attemptName(each)));
  return job && `${attemptName(job)} is not sealed 15 minutes after KMS can be reached again`;
}
