import { isPaused } from "../../../decide/overrides/paused.ts";
import { isEnded, isOn, jobName } from "../../../model/job.ts";
import { outageTimes } from "../../faults/outages.ts";
import type { Fact } from "../../world/facts.ts";
import type { Scenario } from "../../world/scenario.ts";
import type { WorldView } from "../../world/seen.ts";
import { atMostEvery, type Invariant, type InvariantBreach } from "../invariant.ts";

const checkEveryMs = 5_000;

/** A job whose instance has ended: its attempt, the instances that it was on, and when one of them last ended. */
type Lost = { readonly attempt: number; readonly instances: readonly string[]; sinceMs: number };

/** 21: what ran on an instance runs elsewhere soon after EC2 has reported its end. Only scenarios with `elsewhereMinutes` demand it. */
export const elsewhere: Invariant = {
  number: 21,
  name: "lost jobs run elsewhere",
  says: "A job whose instances have ended runs on others within the scenario's time, which does not pass while EC2 is out of reach.",
  watch: (seen) => {
    const { elsewhereMinutes } = seen().scenario;
    if (elsewhereMinutes === undefined) return {};
    const lost = new Map<string, Lost>();
    const isDue = atMostEvery(checkEveryMs);
    return {
      on: (fact) => {
        note(fact, lost, seen);
        const { nowMs, fleet, scenario, table } = seen();
        if (fact.kind !== "invoked" || !isDue(nowMs)) return undefined;
        // An order of an admin may have kept them from running.
        for (const [name, each] of lost) if (isHeld(name, table)) each.sinceMs = nowMs;
        const outMs = lastOutMs(scenario, nowMs);
        return late(lost, { nowMs, fleet, outMs, withinMs: elsewhereMinutes * 60_000 });
      },
    };
  },
};

/** Returns when EC2 was last out of reach: now, if it is. Before that, it neither reports ends nor launches anything. */
function lastOutMs(scenario: Scenario, nowMs: number): number {
  const begun = outageTimes(scenario, "ec2").filter(({ fromMs }) => fromMs <= nowMs);
  return Math.max(0, ...begun.map(({ untilMs }) => Math.min(nowMs, untilMs)));
}

function note(fact: Fact, lost: Map<string, Lost>, seen: () => WorldView): void {
  if (fact.kind === "ended") noteEnd(fact.id, lost, seen());
  if (fact.kind === "began" && fact.attempt > (lost.get(jobName(fact))?.attempt ?? Number.POSITIVE_INFINITY)) lost.delete(jobName(fact));
  // Once what its node left on S3 shows that its program has ended, nothing has to run, and another invariant bounds the time to seal it.
  if (fact.kind === "job" && (isEnded(fact.after.state) || fact.after.state === "sealing")) lost.delete(jobName(fact.after));
}

function isHeld(name: string, { jobs, overrides }: WorldView["table"]): boolean {
  const ordered = overrides.get(jobs.get(name)?.pool ?? "");
  return isPaused(ordered) || ordered?.settings !== undefined;
}

function noteEnd(instance: string, lost: Map<string, Lost>, { table, nowMs }: WorldView): void {
  for (const each of lost.values()) if (each.instances.includes(instance)) each.sinceMs = nowMs;
  for (const job of table.jobs.values()) {
    const isUnderWay = job.state === "placed" || job.state === "running";
    if (isUnderWay && isOn(job, instance))
      lost.set(jobName(job), { attempt: job.attempt, instances: job.gang ?? [instance], sinceMs: nowMs });
  }
}

/** A gang waits until all its instances have ended, because its next attempt must not run while something of the last one does. */
function late(
  lost: ReadonlyMap<string, Lost>,
  { nowMs, fleet, outMs, withinMs }: Pick<WorldView, "nowMs" | "fleet"> & { readonly outMs: number; readonly withinMs: number },
): InvariantBreach {
  const isOver = (id: string): boolean => fleet.instances.get(id)?.over === true;
  const found = [...lost].find(([, { sinceMs, instances }]) => nowMs - Math.max(sinceMs, outMs) > withinMs && instances.every(isOver));
  if (!found) return undefined;
  const [name, { instances, sinceMs }] = found;
  return `${name} does not run elsewhere, although ${instances.join(", ")} ended ${Math.round((nowMs - sinceMs) / 60_000)} min ago`;
}
