import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import { comparisonNames, missingTreatments } from "../metrics/alarm.ts";
import { isPercentile, type Percentile, type StatisticName, statisticNames } from "../metrics/metric.ts";
import { harmlessKind, kind } from "./kind.ts";
import { arn } from "./world.ts";

/** Only notifications of people, which have no effect here. Any other action would have to be connected. */
const Actions = z.array(z.string().startsWith("arn:aws:sns:")).optional();

/** An alarm on one metric. Alarms on expressions have other properties, which are not supported. */
export const alarm = kind({
  type: "AWS::CloudWatch::Alarm",
  properties: z.strictObject({
    AlarmName: z.string().optional(),
    AlarmDescription: z.string().optional(),
    AlarmActions: Actions,
    OKActions: Actions,
    Namespace: z.string(),
    MetricName: z.string(),
    Dimensions: z.array(z.strictObject({ Name: z.string(), Value: z.string() })).default([]),
    Unit: z.string().optional(),
    Statistic: z.enum(statisticNames).optional(),
    ExtendedStatistic: z
      .custom<Percentile>((text) => isPercentile(String(text)), "only percentiles, such as p99, are supported")
      .optional(),
    Period: z.coerce.number().positive(),
    EvaluationPeriods: z.coerce.number().int().positive(),
    DatapointsToAlarm: z.coerce.number().int().positive().optional(),
    Threshold: z.coerce.number(),
    ComparisonOperator: z.enum(comparisonNames),
    TreatMissingData: z.enum(missingTreatments).default("missing"),
  }),
  create: async (properties, place, { blueprint }) => {
    const name = properties.AlarmName ?? place.name;
    const statistic = statisticOf(properties);
    if (statistic === undefined)
      throw new FleetError("template", `The alarm ${place.id} must have either a Statistic or an ExtendedStatistic`);
    const alarmArn = arn("cloudwatch", `alarm:${name}`);
    blueprint.alarms.push({
      name,
      arn: alarmArn,
      description: properties.AlarmDescription,
      metric: {
        namespace: properties.Namespace,
        name: properties.MetricName,
        dimensions: Object.fromEntries(properties.Dimensions.map(({ Name, Value }) => [Name, Value])),
      },
      unit: properties.Unit,
      statistic,
      periodSeconds: properties.Period,
      evaluationPeriods: properties.EvaluationPeriods,
      datapointsToAlarm: properties.DatapointsToAlarm ?? properties.EvaluationPeriods,
      threshold: properties.Threshold,
      comparison: properties.ComparisonOperator,
      missing: properties.TreatMissingData,
    });
    return { ref: name, attributes: { Arn: alarmArn } };
  },
});

/** Returns the statistic if there is exactly one. */
function statisticOf(of: {
  readonly Statistic?: StatisticName | undefined;
  readonly ExtendedStatistic?: Percentile | undefined;
}): StatisticName | Percentile | undefined {
  if (of.Statistic !== undefined && of.ExtendedStatistic !== undefined) return undefined;
  return of.Statistic ?? of.ExtendedStatistic;
}

/** Ignored, because no one looks at it here: the metrics are in memory, and the logs in files. */
export const dashboard = harmlessKind("AWS::CloudWatch::Dashboard", ["DashboardBody", "DashboardName"]);
