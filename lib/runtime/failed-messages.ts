import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { failedMessagesMetric } from "../model/alarm.ts";
import { publishFleetCount } from "./fleet-metrics.ts";

/**
 * Counts messages that a function could not handle: for the alarm about all functions, and with the function's name for people, who want to know
 * which one it is. `metrics`: the function's own.
 */
export function publishFailedMessages(count: number, { fleet, metrics }: { readonly fleet: string; readonly metrics: Metrics }): void {
  publishFleetCount(fleet, failedMessagesMetric, count);
  metrics.singleMetric().addMetric(failedMessagesMetric, MetricUnit.Count, count);
}
