import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { metricsNamespace } from "../model/alarm.ts";

/**
 * Publishes a count with the deployment's name as its only dimension, which is what an alarm about the whole deployment names. Powertools would
 * add the function's name, and then each function's count would be a metric of its own, with an alarm of its own.
 */
export function publishFleetCount(fleet: string, metric: string, count: number): void {
  const metrics = new Metrics({ namespace: metricsNamespace });
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ fleet });
  metrics.addMetric(metric, MetricUnit.Count, count);
  metrics.publishStoredMetrics();
}
