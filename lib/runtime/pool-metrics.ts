import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { PoolNumbers } from "../decide/health/pool-numbers.ts";
import { metricsNamespace } from "../model/alarm.ts";

/**
 * Publishes how a pool is, by fleet and pool: the dimensions that the stack's alarms name, and no other, for each combination is
 * another metric, at $0.30 a month (https://aws.amazon.com/cloudwatch/pricing/). One that is published for part of a month costs that part.
 */
export function publishPoolNumbers(of: { fleet: string; pool: string }, numbers: PoolNumbers): void {
  const metrics = new Metrics({ namespace: metricsNamespace });
  // It comes with the service as a dimension.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions(of);
  metrics.addMetric("Nodes", MetricUnit.Count, numbers.nodes);
  metrics.addMetric("Gpus", MetricUnit.Count, numbers.gpus);
  if (numbers.gpuUtilization !== undefined) metrics.addMetric("GpuUtilization", MetricUnit.Percent, numbers.gpuUtilization);
  metrics.addMetric("QueuedJobs", MetricUnit.Count, numbers.queuedJobs);
  metrics.addMetric("OldestQueuedSeconds", MetricUnit.Seconds, numbers.oldestQueuedSeconds);
  metrics.addMetric("ReservedUsdPerHour", MetricUnit.NoUnit, numbers.reservedUsdPerHour);
  // A metric costs only in months in which it is published, and most never see one.
  if (numbers.openBreakers > 0) metrics.addMetric("OpenBreakers", MetricUnit.Count, numbers.openBreakers);
  metrics.publishStoredMetrics();
}
