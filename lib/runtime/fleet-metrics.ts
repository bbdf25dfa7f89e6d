import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { metricsNamespace } from "../model/alarm.ts";

type FleetMetric = { readonly name: string; readonly unit: (typeof MetricUnit)[keyof typeof MetricUnit]; readonly value: number };

/**
 * Publishes a value with the deployment's name as its only dimension, which is what an alarm about the whole deployment names. Powertools would
 * add the function's name, and then each function's value would be a metric of its own, with an alarm of its own.
 */
export function publishFleetMetric(fleet: string, { name, unit, value }: FleetMetric): void {
  const metrics = new Metrics({ namespace: metricsNamespace });
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ fleet });
  metrics.addMetric(name, unit, value);
  metrics.publishStoredMetrics();
}

export const publishFleetCount = (fleet: string, metric: string, count: number): void =>
  publishFleetMetric(fleet, { name: metric, unit: MetricUnit.Count, value: count });
