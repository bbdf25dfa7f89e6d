import { type JobClass, type Problem, standardTerms } from "../problem/problem.ts";
import { waitWeight } from "../problem/urgency.ts";
import type { Binding, Cost, Purchase } from "./answer.ts";

/** What a plan costs an hour, by what it is for. */
export function costOfPlan(
  problem: Problem,
  plan: { bindings: readonly Binding[]; purchases: readonly Purchase[]; waiting: readonly JobClass[] },
): Cost {
  const terms = { ...standardTerms, ...problem.terms };
  const fleetUsd = plan.purchases.reduce((sum, { offer, nodes }) => sum + nodes * offer.usdPerHour, 0);
  const interruptionsUsd = plan.purchases.reduce(
    (sum, { offer, nodes }) => sum + nodes * offer.usdPerHour * (offer.interruptionsPerHour ?? 0) * terms.hoursLostAtInterruption,
    0,
  );
  const waitingUsd = plan.waiting.reduce((sum, job) => sum + job.names.length * terms.waitUsdPerHour * waitWeight(job), 0);
  return { fleetUsd, interruptionsUsd, dataUsd: dataUsd(problem, plan), waitingUsd };
}

function dataUsd(problem: Problem, { bindings, purchases }: { bindings: readonly Binding[]; purchases: readonly Purchase[] }): number {
  const { usdPerGiB, hoursOfUse } = { ...standardTerms, ...problem.terms };
  const reading = problem.jobs.filter((job) => job.data);
  if (usdPerGiB === 0 || reading.length === 0) return 0;
  const dataOf = new Map(reading.flatMap((job) => job.names.map((name) => [name, job.data ?? {}] as const)));
  const warmOn = new Map(problem.nodes.map((node) => [node.name, node.warm ?? []]));
  const giB = (jobs: readonly string[], warm: readonly string[]): number =>
    jobs.reduce(
      (sum, job) => sum + Object.entries(dataOf.get(job) ?? {}).reduce((all, [name, size]) => all + (warm.includes(name) ? 0 : size), 0),
      0,
    );
  const moved =
    bindings.reduce((sum, { node, jobs }) => sum + giB(jobs, warmOn.get(node) ?? []), 0) +
    purchases.reduce((sum, { jobs, nodes }) => sum + nodes * giB(jobs, []), 0);
  return (moved * usdPerGiB) / hoursOfUse;
}
