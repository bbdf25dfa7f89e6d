import type { MetricRef, Percentile, StatisticName } from "./metric.ts";

export const alarmStates = ["OK", "ALARM", "INSUFFICIENT_DATA"] as const;
export type AlarmState = (typeof alarmStates)[number];

export const comparisonNames = [
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "LessThanThreshold",
  "LessThanOrEqualToThreshold",
] as const;
export type Comparison = (typeof comparisonNames)[number];

/** The comparisons. `words` are those of CloudWatch's explanations. */
export const comparisons: Readonly<
  Record<Comparison, { readonly words: string; readonly holds: (value: number, threshold: number) => boolean }>
> = {
  GreaterThanOrEqualToThreshold: { holds: (value, threshold) => value >= threshold, words: "greater than or equal to" },
  GreaterThanThreshold: { holds: (value, threshold) => value > threshold, words: "greater than" },
  LessThanThreshold: { holds: (value, threshold) => value < threshold, words: "less than" },
  LessThanOrEqualToThreshold: { holds: (value, threshold) => value <= threshold, words: "less than or equal to" },
};
export const missingTreatments = ["missing", "ignore", "breaching", "notBreaching"] as const;
export type MissingTreatment = (typeof missingTreatments)[number];

/** An alarm on one metric, as the template defines it. */
export type Alarm = {
  readonly name: string;
  readonly arn: string;
  readonly description?: string | undefined;
  readonly metric: MetricRef;
  readonly unit?: string | undefined;
  readonly statistic: StatisticName | Percentile;
  /** The period on AWS. Its length here depends on a setting of the local cloud. */
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  /** How many of the evaluated datapoints must breach. */
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: Comparison;
  readonly missing: MissingTreatment;
};
