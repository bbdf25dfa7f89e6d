import { Aws, Duration } from "aws-cdk-lib";
import { Dashboard, type IWidget, Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { deadJobsMetric, failedMessagesMetric, stuckMetric } from "../../lib/model/alarm.ts";
import { deadQueues } from "../../lib/model/letters/dead-letter.ts";
import { Environments, type FunctionName } from "../../lib/runtime/env.ts";
import type { Configuration } from "../configuration/configuration.ts";
import { byJobsQueue, byPool, fleetMetric, graph, overPools, query } from "./widgets.ts";

const fiveMinutes = Duration.minutes(5);

/** `end-fleet` runs only when the stack is deleted, and with it this dashboard. */
const functions = (Object.keys(Environments) as FunctionName[]).filter((name) => name !== "end-fleet");

/**
 * One dashboard about the deployment, for $3 per month. It uses only metrics that are published anyway, and the logs of functions for what no
 * metric has: CloudWatch charges for a query when somebody opens the dashboard, and for a metric all the time.
 */
export class FleetDashboard extends Construct {
  constructor(scope: Construct, id: string, { name: fleet }: Pick<Configuration, "name">) {
    super(scope, id);
    new Dashboard(this, "Dashboard", {
      // Dashboards of all regions share one list, and a deployment's name may be used in each region.
      dashboardName: `${fleet}-${Aws.REGION}`,
      defaultInterval: Duration.hours(3),
      widgets: [queues(fleet), nodes(fleet), money(fleet), decisions(fleet), faults(fleet), objectives(fleet)],
    });
  }
}

const queues = (fleet: string): IWidget[] => [
  graph("Waiting jobs by pool", [byPool(fleet, "QueuedJobs", Stats.MAXIMUM)]),
  graph("Longest wait in a pool, s", [byPool(fleet, "OldestQueuedSeconds", Stats.MAXIMUM)]),
  graph("Oldest message on a team's queue, s", [byJobsQueue(`${fleet}-jobs-`, "ApproximateAgeOfOldestMessage", Stats.MAXIMUM)]),
];

/** The tick counts each pool with work once a minute, so a fifth of a sum over five minutes is the mean of all pools together. */
const perMinute = (field: string, as: string): string => `sum(${field}) / 5 as ${as}`;
const counted = 'filter message = "pool counted"';

const nodes = (fleet: string): IWidget[] => [
  query("Nodes by state", {
    fleet,
    functions: ["tick"],
    lines: [
      counted,
      `stats ${["launching", "ready", "draining"].map((state) => perMinute(`nodesByState.${state}`, state)).join(", ")} by bin(5m)`,
    ],
    view: "STACKEDAREA",
  }),
  query("GPUs, and GPUs that jobs hold", {
    fleet,
    functions: ["tick"],
    lines: [counted, `stats ${perMinute("gpus", "there")}, ${perMinute("gpusInUse", "held")} by bin(5m)`],
    view: "LINE",
  }),
  graph("Utilization of GPUs by pool, %", [byPool(fleet, "GpuUtilization", Stats.AVERAGE)]),
];

const money = (fleet: string): IWidget[] => [
  graph("Reserved, USD/h", [overPools(fleet, "ReservedUsdPerHour", Stats.MAXIMUM), byPool(fleet, "ReservedUsdPerHour", Stats.MAXIMUM)]),
  query("Cost of pools that had work in the time shown, USD", {
    fleet,
    functions: ["tick"],
    lines: [
      counted,
      "stats latest(dayUsd) as today, latest(monthUsd) as month, latest(budgetUsedPercent) as percentOfBudget by pool",
      "sort month desc",
      "limit 25",
    ],
    view: "TABLE",
  }),
  graph("Used of the budget of a pool, and of a team in it, %", [
    byPool(fleet, "BudgetUsed", Stats.MAXIMUM),
    byPool(fleet, "TeamBudgetUsed", Stats.MAXIMUM),
  ]),
];

const decisions = (fleet: string): IWidget[] => {
  const service = `${fleet}-place`;
  return [
    graph("Decisions and their steps", [
      fleetMetric(fleet, "Decisions", { statistic: Stats.SUM, service }),
      fleetMetric(fleet, "Steps", { statistic: Stats.SUM, service }),
    ]),
    graph("Duration of place, ms", [
      lambda(service, "Duration", { statistic: Stats.p(50), label: "p50" }),
      lambda(service, "Duration", { statistic: Stats.p(99), label: "p99" }),
    ]),
    graph("Decisions that fail, and steps that are stuck", [
      lambda(service, "Errors", { statistic: Stats.SUM, label: "Errors" }),
      fleetMetric(fleet, failedMessagesMetric, { statistic: Stats.SUM, service }),
      fleetMetric(fleet, stuckMetric, { statistic: Stats.MAXIMUM }),
    ]),
  ];
};

const faults = (fleet: string): IWidget[] => {
  const ofEach = (metric: string): Metric[] =>
    functions.map((name) => lambda(`${fleet}-${name}`, metric, { statistic: Stats.SUM, label: name }));
  return [
    graph("Errors of functions, and messages that failed", ofEach("Errors"), [
      fleetMetric(fleet, failedMessagesMetric, { statistic: Stats.SUM }),
    ]),
    graph("Throttled calls of functions", ofEach("Throttles")),
    graph("Dead letters", [
      fleetMetric(fleet, deadJobsMetric, { statistic: Stats.MAXIMUM }),
      ...deadQueues([]).map(({ name, fifo }) => deadLetters(fleet, { name, fifo })),
    ]),
  ];
};

const times = "stats pct(seconds, 50) as p50, pct(seconds, 99) as p99 by bin(5m)";
const measured = (what: string): string => `filter message = "measured" and what = "${what}"`;

const objectives = (fleet: string): IWidget[] => [
  query("From message to launch, s", { fleet, functions: ["place"], lines: [measured("launch"), times], view: "LINE" }),
  query("Until the program runs, s", { fleet, functions: ["node"], lines: [measured("start"), times], view: "LINE" }),
  query("Lost runs", {
    fleet,
    functions: ["place", "node"],
    lines: [
      measured("lost-work"),
      "fields @timestamp, pool, attempt.team, attempt.job, attempt.attempt, because",
      "sort @timestamp desc",
      "limit 25",
    ],
    view: "TABLE",
  }),
];

const lambda = (FunctionName: string, metricName: string, { statistic, label }: { statistic: string; label: string }): Metric =>
  new Metric({ namespace: "AWS/Lambda", metricName, dimensionsMap: { FunctionName }, statistic, period: fiveMinutes, label });

const deadLetters = (fleet: string, { name, fifo }: { name: string; fifo: boolean }): Metric =>
  new Metric({
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensionsMap: { QueueName: `${fleet}-dead-${name}${fifo ? ".fifo" : ""}` },
    statistic: Stats.MAXIMUM,
    period: fiveMinutes,
    label: name,
  });
