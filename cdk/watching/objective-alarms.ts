import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { metricsNamespace } from "../../lib/model/alarm.ts";
import { type Objective, objectiveMetrics } from "../../lib/model/objectives/objective.ts";
import { allowedBy } from "../../lib/runtime/objectives.ts";
import type { Configuration } from "../configuration/configuration.ts";
import { withRunbook } from "./runbook.ts";

type Shape = {
  readonly id: string;
  /** The end of the alarm's name. */
  readonly name: string;
  readonly statistic: string;
  readonly period: Duration;
  readonly what: (most: number) => string;
};

const shapes: Readonly<Record<Objective, Shape>> = {
  launch: {
    id: "SlowLaunches",
    name: "slow-launches",
    statistic: Stats.p(99),
    period: Duration.hours(1),
    what: (most) => `In the last hour, 1 % of launches or more took longer than ${most} s from their message.`,
  },
  start: {
    id: "SlowStarts",
    name: "slow-starts",
    statistic: Stats.p(99),
    period: Duration.hours(1),
    what: (most) => `In the last hour, 1 % of programs or more took longer than ${most} s until they ran.`,
  },
  "lost-work": {
    id: "LostWork",
    name: "lost-work",
    statistic: Stats.SUM,
    period: Duration.days(1),
    what: (most) => `Within a day, more than ${most} runs ended by a fault of Fleetwright or of a machine.`,
  },
};

/** An alarm for each objective that the admin has set, for people. Its metric has values only when something happens, so an idle fleet is in OK. */
export class ObjectiveAlarms extends Construct {
  constructor(scope: Construct, id: string, { name: fleet, objectives }: Pick<Configuration, "name" | "objectives">) {
    super(scope, id);
    const allowed = allowedBy(objectives);
    for (const objective of ["launch", "start", "lost-work"] as const) {
      const most = allowed[objective];
      if (most === undefined) continue;
      const { id: alarmId, name, statistic, period, what } = shapes[objective];
      new Alarm(this, alarmId, {
        alarmName: `${fleet}-${name}`,
        alarmDescription: withRunbook(what(most), "an-objective-is-missed"),
        metric: new Metric({
          namespace: metricsNamespace,
          metricName: objectiveMetrics[objective],
          dimensionsMap: { fleet },
          statistic,
          period,
        }),
        threshold: most,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
    }
  }
}
