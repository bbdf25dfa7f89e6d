import { type CapacityPlan, type PlannedType, type ResourceName, resourceNames } from "../../model/planning/capacity.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { factLines } from "../views/job-view.ts";
import { money, number, percent } from "./figures.ts";

/** Returns the plan for people: what to buy, what it provides, and what it costs. */
export function capacityLines(plan: CapacityPlan, width: number): string[] {
  const bought = plan.types.filter(({ count }) => count > 0);
  return [
    ...tableLines(bought, typeColumns, { empty: "nothing needs to be bought", width }),
    "",
    ...tableLines(
      resourceNames.map((name) => ({ name, ...plan.resources[name] })),
      resourceColumns,
      { empty: "", width },
    ),
    "",
    ...factLines(facts(plan)),
    ...others(plan),
  ];
}

const typeColumns: Column<PlannedType>[] = [
  { title: "TYPE", of: ({ type }) => type.name, yields: true },
  { title: "NODES", of: ({ count }) => number(count), align: "right" },
  ...resourceNames.map(
    (name): Column<PlannedType> => ({
      title: name.toUpperCase(),
      of: ({ type, count }) => number(type.offers[name] * count),
      align: "right",
    }),
  ),
  { title: "EACH", of: ({ type }) => money(eachOf(type)), align: "right" },
  { title: "ALL", of: ({ type, count }) => money(eachOf(type) * count), align: "right" },
];

const eachOf = ({ cost }: PlannedType["type"]): number => cost.hardware + cost.software + cost.network;

type Resource = CapacityPlan["resources"][ResourceName] & { readonly name: ResourceName };

const resourceColumns: Column<Resource>[] = [
  { title: "RESOURCE", of: ({ name }) => name },
  { title: "WANTED", of: ({ demand }) => number(demand), align: "right" },
  { title: "BOUGHT", of: ({ bought }) => number(bought), align: "right" },
  { title: "TO SPARE", of: ({ bought, demand }) => number(Math.max(0, bought - demand)), align: "right" },
  { title: "UNMET", of: ({ unmet }) => number(unmet), align: "right" },
  { title: "WAITING", of: ({ waiting }) => number(waiting), align: "right" },
  { title: "ONE UNIT MORE COSTS", of: ({ shadowPrice }) => money(shadowPrice), align: "right" },
];

function facts({ cost, performance, total, relaxed, bound, gap, proven }: CapacityPlan): [string, string | undefined][] {
  const parts = [`hardware ${money(cost.hardware)}`, `software ${money(cost.software)}`, `network ${money(cost.network)}`];
  const lost = [
    ["failures", performance.loss],
    ["nodes", performance.perNode],
    ["waiting", performance.waiting],
    ["shortfall", performance.shortfall],
  ] as const;
  const priced = lost.filter(([, usd]) => usd > 0).map(([name, usd]) => `${name} ${money(usd)}`);
  const least = proven || gap === 0 ? "proven optimal" : `at most ${percent(gap)} above the optimum; a longer --budget may find it`;
  return [
    ["f", `${money(cost.total)} for the nodes: ${parts.join(", ")}`],
    ["g", `${money(performance.total)} lost in performance${priced.length > 0 ? `: ${priced.join(", ")}` : ""}`],
    ["f + g", `${money(total)}, ${least}`],
    ["bounds", `${money(relaxed)} with fractions of nodes, ${money(bound)} with whole nodes`],
  ];
}

/** Returns the types that were not bought, and why. */
function others({ types }: CapacityPlan): string[] {
  const left = types.filter(({ count }) => count === 0);
  if (left.length === 0) return [];
  const lines = left.slice(0, maxOthers).map(({ type, overWorth }) => `  ${type.name}: ${whyNone(overWorth)}`);
  return ["", "Not bought:", ...lines, ...(left.length > maxOthers ? [`  and ${number(left.length - maxOthers)} more`] : [])];
}
const maxOthers = 10;

const whyNone = (overWorth: number): string =>
  overWorth > 0 ? `one costs ${money(overWorth)} more than what it offers is worth` : "it would cost the same, with as many nodes or more";
