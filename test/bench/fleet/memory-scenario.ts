/** Plans single events and a trace, one after the other, and prints the peak memory in MiB. It runs as a bundle, as functions do. */
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import { madeFleet } from "./data.ts";
import { manyOf, nodesOf } from "./made.ts";

const fleet = madeFleet("spot", 8_152);
const offers = manyOf(fleet.offers, 828);
const nodes = nodesOf(offers);
for (let event = 0; event < 200; event += 1) {
  const jobs = classesOf(fleet.jobs.slice(event, event + 20));
  optimize({ dimensions: ["vcpus", "memoryGiB"], jobs, nodes, offers }, { budget: stepBudget(1), seed: event });
}
optimize(
  { dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(fleet.jobs), nodes: [], offers },
  { budget: stepBudget(2_000_000), seed: 1 },
);
console.log(process.resourceUsage().maxRSS / 1024);
