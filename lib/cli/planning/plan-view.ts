import type { DrainCandidate } from "../../optimizer/search/drains.ts";
import type { Binding, Purchase, Waiting } from "../../optimizer/search/solution.ts";
import { count } from "../terminal/amount.ts";
import { duration } from "../terminal/duration.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { factLines } from "../views/job-view.ts";
import { money, number, percent } from "./figures.ts";
import { alternativesOf, type Planned, performanceUsd, savedUsd, stoppedUsd } from "./planned.ts";
import { cheapestChange, whyWords } from "./reason-words.ts";

/** The most rows that each table shows; --json has all. */
const maxRows = 30;

/** Returns the plan for people: where jobs go, what is launched for them, which jobs wait and why, and what it costs. */
export function planLines(plan: Planned, width: number): string[] {
  const { solution } = plan;
  return [
    ...section(plan.drains, drainColumns, width),
    ...section(solution.bindings, bindingColumns, width),
    ...section(launchesOf(plan), launchColumns, width),
    ...section(solution.waiting, holdColumns, width),
    ...factLines(facts(plan)),
  ];
}

function section<T>(rows: readonly T[], columns: readonly Column<T>[], width: number): string[] {
  if (rows.length === 0) return [];
  const more = rows.length > maxRows ? [`and ${count(rows.length - maxRows, "row")} more: --json has all`] : [];
  return [...tableLines(rows.slice(0, maxRows), columns, { empty: "", width }), ...more, ""];
}

/** Shortens a list of jobs: `train-1, train-2 +14`. */
function names(jobs: readonly string[]): string {
  const named = jobs.slice(0, 2).join(", ");
  return jobs.length > 2 ? `${named} +${number(jobs.length - 2)}` : named;
}

const drainColumns: Column<DrainCandidate>[] = [
  { title: "EMPTY", of: ({ node }) => node },
  { title: "SAVES/H", of: ({ usdPerHour }) => money(usdPerHour), align: "right" },
  { title: "JOBS", of: ({ jobs }) => number(jobs.length), align: "right" },
  { title: "WHICH RESTART", of: ({ jobs }) => names(jobs), yields: true },
];

const bindingColumns: Column<Binding>[] = [
  { title: "ON NODE", of: ({ node }) => node },
  { title: "JOBS", of: ({ jobs }) => number(jobs.length), align: "right" },
  { title: "WHICH", of: ({ jobs }) => names(jobs), yields: true },
];

/** Equal launches for equal jobs, shown as one row. */
type Launches = { readonly first: Purchase; readonly times: number; readonly jobs: readonly string[]; readonly others: readonly string[] };

function launchesOf(plan: Planned): readonly Launches[] {
  const places = new Map(plan.problem.jobs.map((job, index) => [job, index]));
  const kind = ({ offer, jobs, nodes }: Purchase): string => {
    const classes = jobs.map((job) => {
      const found = plan.classOf.get(job);
      return found ? (places.get(found) ?? -1) : -1;
    });
    return JSON.stringify([offer.name, nodes, classes.toSorted((a, b) => a - b)]);
  };
  return [...Map.groupBy(plan.solution.purchases, kind).values()]
    .flatMap((alike): Launches[] => {
      const [first] = alike;
      return first ? [{ first, times: alike.length, jobs: alike.flatMap(({ jobs }) => jobs), others: alternativesOf(plan, first) }] : [];
    })
    .toSorted((a, b) => usdOf(b) - usdOf(a) || (a.first.offer.name < b.first.offer.name ? -1 : 1));
}

const nodesOf = ({ first, times }: Launches): number => first.nodes * times;
const usdOf = (launches: Launches): number => nodesOf(launches) * launches.first.offer.usdPerHour;

const launchColumns: Column<Launches>[] = [
  { title: "LAUNCH", of: ({ first }) => first.offer.name },
  { title: "NODES", of: (row) => number(nodesOf(row)), align: "right" },
  { title: "EACH/H", of: ({ first }) => money(first.offer.usdPerHour), align: "right" },
  { title: "ALL/H", of: (row) => money(usdOf(row)), align: "right" },
  { title: "JOBS", of: ({ jobs }) => number(jobs.length), align: "right" },
  { title: "WHICH", of: ({ jobs }) => names(jobs), yields: true },
  { title: "OR", of: ({ others }) => others[0] ?? "-" },
];

const holdColumns: Column<Waiting>[] = [
  { title: "WAITS", of: ({ jobs }) => names(jobs) },
  { title: "JOBS", of: ({ jobs }) => number(jobs.length), align: "right" },
  { title: "BECAUSE", of: (row) => [whyWords(row), cheapestChange(row)].filter((text) => text !== undefined).join("; ") },
];

function facts(plan: Planned): [string, string | undefined][] {
  const { problem, solution, drains, ms } = plan;
  const { interruptionsUsd, dataUsd, waitingUsd, fleetUsd } = solution.cost;
  const lost = [
    ["restarts", stoppedUsd(drains)],
    ["interruptions", interruptionsUsd],
    ["data", dataUsd],
    ["waiting", waitingUsd],
  ] as const;
  const parts = lost.filter(([, usd]) => usd > 0).map(([name, usd]) => `${name} ${money(usd)}`);
  const jobs = problem.jobs.reduce((sum, job) => sum + job.names.length, 0);
  const { gap } = solution;
  return [
    [
      "jobs",
      `${number(jobs)} of ${count(problem.jobs.length, "kind")}; ${count(problem.offers.length, "offer")}, ${count(problem.nodes.length, "node")}`,
    ],
    ["f", `${money(fleetUsd)}/h for launches${drains.length > 0 ? `, less ${money(savedUsd(drains))}/h for emptied nodes` : ""}`],
    ["g", `${money(performanceUsd(plan))}/h lost in performance${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`],
    [
      "bound",
      `no plan that places the same jobs costs less than ${money(solution.boundUsd)}/h${gap === undefined ? "" : `; this one is at most ${percent(gap)} above`}`,
    ],
    ["found by", `${solution.engine}, in ${duration(ms)}`],
  ];
}
