import { harmlessKind } from "./kind.ts";

/** Tells a person; nothing here hangs on one. */
export const alarm = harmlessKind("AWS::CloudWatch::Alarm", [
  "AlarmActions",
  "AlarmDescription",
  "AlarmName",
  "ComparisonOperator",
  "Dimensions",
  "EvaluationPeriods",
  "MetricName",
  "Namespace",
  "Period",
  "Statistic",
  "Threshold",
  "TreatMissingData",
]);
