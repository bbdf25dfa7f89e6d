import type { Supply } from "../../optimizer/problem/problem.ts";
import { alternatives } from "../../optimizer/search/alternatives.ts";
import type { Purchase } from "../../optimizer/search/solution.ts";
import { UsageError } from "../invocation/exit.ts";
import { count } from "../terminal/amount.ts";
import { money, number } from "./figures.ts";
import { alternativesOf, type Planned } from "./planned.ts";
import { cheapestChange, reasonWords } from "./reason-words.ts";

/** Explains why a job goes where it goes, or why it waits and what would place it. */
export function explainLines(job: string, plan: Planned): string[] {
  const { solution, classOf, staying } = plan;
  const node = staying.get(job);
  if (node !== undefined) return [`${job} stays on node ${node}, where it runs: a restart elsewhere would not save money`];
  if (!classOf.has(job)) throw new UsageError(`there is no job ${job} in the file${meant(job, [...classOf.keys()])}`);
  const binding = solution.bindings.find(({ jobs }) => jobs.includes(job));
  if (binding)
    return [
      `${job} goes on node ${binding.node}, ${others(binding.jobs.length)}: the node exists, has room, and costs nothing extra`,
      ...aloneLines(job, plan),
    ];
  const purchase = solution.purchases.find(({ jobs }) => jobs.includes(job));
  if (purchase) return [...launchLines(job, purchase, plan), ...aloneLines(job, plan)];
  const waiting = solution.waiting.find(({ jobs }) => jobs.includes(job));
  if (!waiting) return [`${job} is not in the plan`];
  const offer = waiting.change ? `the closest offer is ${waiting.change.offer}` : "no offer comes close";
  const change = cheapestChange(waiting);
  return [
    `${job} waits: no node has room, and no offer fits; ${offer}, but`,
    ...waiting.reasons.map((reason) => `  ${reasonWords(reason)}`),
    ...(change === undefined ? [] : [change]),
  ];
}

/** Suggests what the user may mean. A row that stands for several jobs numbers them. */
function meant(job: string, jobs: readonly string[]): string {
  const several = jobs.filter((name) => name.startsWith(`${job}#`));
  return several.length > 0 ? `; there are ${several[0]} to ${several.at(-1)}` : `; the first is ${jobs[0]}`;
}

const others = (jobs: number): string => (jobs === 1 ? "alone" : `together with ${count(jobs - 1, "other")}`);

function launchLines(job: string, purchase: Purchase, plan: Planned): string[] {
  const { offer, nodes, jobs } = purchase;
  const what = nodes > 1 ? `${number(nodes)} new nodes of ${offer.name}` : `a new ${offer.name}`;
  const or = alternativesOf(plan, purchase);
  return [
    `${job} goes on ${what} for ${money(nodes * offer.usdPerHour)}/h, ${others(jobs.length)}`,
    or.length > 0 ? `  all of them would also fit on ${or.join(", ")}` : "  no other offer holds all of them",
  ];
}

/** Returns what the job would cost by itself, to show what sharing saves. */
function aloneLines(job: string, { problem, classOf }: Planned): string[] {
  const need = classOf.get(job);
  const nodes = need?.nodes ?? 1;
  const none: Supply = { name: "", type: "", zone: "", market: "on-demand", usdPerHour: 0, capacity: problem.dimensions.map(() => 0) };
  const gpus = Math.ceil(need?.gpu?.count ?? 0);
  const [cheapest] = alternatives({ offer: none, jobs: [job], nodes }, problem.offers, classOf).filter(
    (offer) => (offer.gpu?.count ?? 0) >= gpus,
  );
  return cheapest ? [`  by itself it would cost ${money(nodes * cheapest.usdPerHour)}/h on ${cheapest.name}`] : [];
}
