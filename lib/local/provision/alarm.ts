import * as z from "zod";
import { comparisonNames, missingTreatments } from "../metrics/alarm.ts";
import { statisticNames } from "../metrics/metric.ts";
import { kind } from "./kind.ts";
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
    Statistic: z.enum(statisticNames),
    Period: z.coerce.number().positive(),
    EvaluationPeriods: z.coerce.number().int().positive(),
    DatapointsToAlarm: z.coerce.number().int().positive().optional(),
    Threshold: z.coerce.number(),
    ComparisonOperator: z.enum(comparisonNames),
    TreatMissingData: z.enum(missingTreatments).default("missing"),
  }),
  create: async (properties, place, { blueprint }) => {
    const name = properties.AlarmName ?? place.name;
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
      statistic: properties.Statistic,
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
