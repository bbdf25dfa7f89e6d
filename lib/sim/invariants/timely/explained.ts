import { holdersOf, reasonOf } from "../../../decide/health/waits-for-proof.ts";
import { isEnded, type Job, jobName } from "../../../model/job.ts";
import { outageTimes } from "../../faults/outages.ts";
import { nodeKey } from "../../memory/table.ts";
import type { WorldView } from "../../world/seen.ts";
import { atMostEvery, type Invariant, type InvariantBreach } from "../invariant.ts";

const checkEveryMs = 30_000;
/** Silence is noticed within minutes, and decisions that fail or that handlers do not survive are made again within a few more. */
const withinMs = 10 * 60_000;

/** If the table refuses more than this share of the calls, few decisions can be made, and hardly any is carried out. */
const mostThrottled = 0.1;

/** 24: a job that does not run shows what it waits for. */
export const explained: Invariant = {
  number: 24,
  name: "waiting jobs say why",
  says: "A job that is queued, or whose nodes are out of reach or have ended, says within ten minutes what it waits for, unless no function can run or read.",
  watch: (seen) => {
    /** Since when jobs wait without saying why. */
    const silent = new Map<string, number>();
    const isDue = atMostEvery(checkEveryMs);
    return {
      on: (fact) => {
        const now = seen();
        if (fact.kind !== "invoked" || now.scenario.flood || !isDue(now.nowMs)) return undefined;
        if (isOut(now)) {
          silent.clear();
          return undefined;
        }
        for (const job of now.table.jobs.values()) {
          const wrong = unexplained(job, silent, now);
          if (wrong !== undefined) return wrong;
        }
        return undefined;
      },
    };
  },
};

function unexplained(job: Job, silent: Map<string, number>, now: WorldView): InvariantBreach {
  const name = jobName(job);
  const { nowMs } = now;
  const holders = holdersOf(job).flatMap((id) => now.table.nodes.get(nodeKey(job.pool, id))?.node ?? []);
  // A job whose nodes boot is shown as such.
  const says = reasonOf(job, holders, nowMs) !== undefined || holders.some(({ state }) => state === "launching");
  if (says || !isWaiting(job, now)) {
    silent.delete(name);
    return undefined;
  }
  const sinceMs = silent.get(name) ?? nowMs;
  silent.set(name, sinceMs);
  if (nowMs - sinceMs <= withinMs) return undefined;
  const where = job.state === "queued" ? "" : ` on ${holdersOf(job).join(", ")}`;
  return `${name} is ${job.state}${where} and has not said for ${Math.round((nowMs - sinceMs) / 60_000)} min what it waits for`;
}

/** Reports whether what jobs wait for can be neither found out nor written down. */
function isOut({ scenario, unreadable, nowMs }: WorldView): boolean {
  if (unreadable || scenario.rollout || (scenario.faults["table.throttle"] ?? 0) > mostThrottled) return true;
  return outageTimes(scenario, "functions", "table").some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
}

function isWaiting(job: Job, { fleet, machine }: WorldView): boolean {
  if (job.state === "queued") return true;
  if (isEnded(job.state)) return false;
  return holdersOf(job).some((id) => machine(id)?.unreachableSinceMs !== undefined || fleet.instances.get(id)?.over === true);
}
