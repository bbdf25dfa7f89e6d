import { type Counts, everyBilled, minusCounts, noCounts, plusCounts, timesCounts, usdOf, usdOfAll } from "./counts.ts";
import type { CostPart, Measurement } from "./run.ts";

/** The figures of the bill are those of so many jobs. */
export const billedJobs = 1_000;

/** What work costs in addition to the bill of an idle deployment. `items` and `parts` are two views of the same sum, and are per 1,000 jobs. */
export type WorkBill = Omit<Measurement, "byPart"> & {
  readonly items: readonly { readonly what: (typeof everyBilled)[number]; readonly count: number; readonly usd: number }[];
  readonly parts: readonly { readonly part: CostPart; readonly counts: Counts; readonly usd: number }[];
  readonly usd: number;
  /** USD of what makes decisions, per 1,000 decisions; of the function that workers call, per 1,000 calls and per 1,000 node-hours. */
  readonly usdPerThousand: { readonly decisions: number; readonly workerCalls: number; readonly nodeHours: number };
};

/** Returns the bill of a load. `idle`: what the same time costs without any job, which is part of another bill. */
export function workBill({ byPart, ...load }: Measurement, idle: Measurement): WorkBill {
  const ofPart = (part: CostPart): Counts => minusCounts(byPart.get(part) ?? noCounts, idle.byPart.get(part) ?? noCounts);
  const parts = [...byPart.keys()]
    .map((part) => ({ part, counts: timesCounts(ofPart(part), billedJobs / load.jobs) }))
    .map((each) => ({ ...each, usd: usdOfAll(each.counts) }))
    .toSorted((a, b) => b.usd - a.usd);
  const sum = parts.reduce((all, { counts }) => plusCounts(all, counts), noCounts);
  const items = everyBilled.map((what) => ({ what, count: sum[what], usd: usdOf(what, sum[what]) }));
  const calls = ofPart("node");
  const per = (usd: number, count: number): number => (count === 0 ? 0 : (1_000 * usd) / count);
  return {
    ...load,
    tableRequests: load.tableRequests - idle.tableRequests,
    items,
    parts,
    usd: usdOfAll(sum),
    usdPerThousand: {
      decisions: per(usdOfAll(ofPart("place")), load.decisions),
      workerCalls: per(usdOfAll(calls), calls.runs),
      nodeHours: per(usdOfAll(calls), load.nodeHours),
    },
  };
}
