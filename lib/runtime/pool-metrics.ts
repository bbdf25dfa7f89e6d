import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { PoolNumbers } from "../decide/health/pool-numbers.ts";
import { metricsNamespace, stuckMetric } from "../model/alarm.ts";
import { publishFleetCount } from "./fleet-metrics.ts";

/**
 * Publishes a pool's metrics with the dimensions fleet and pool, which the pool's alarms name. There are no other dimensions,
 * because each combination is a metric of its own at $0.30 per month, in proportion to the part of the month in which it is
 * published (https://aws.amazon.com/cloudwatch/pricing/).
 */
export function publishPoolNumbers(of: { fleet: string; pool: string }, numbers: PoolNumbers): void {
  const metrics = new Metrics({ namespace: metricsNamespace });
  // Powertools adds the service as a dimension by default.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions(of);
  metrics.addMetric("Nodes", MetricUnit.Count, numbers.nodes);
  metrics.addMetric("Gpus", MetricUnit.Count, numbers.gpus);
  if (numbers.gpuUtilization !== undefined) metrics.addMetric("GpuUtilization", MetricUnit.Percent, numbers.gpuUtilization);
  metrics.addMetric("QueuedJobs", MetricUnit.Count, numbers.queuedJobs);
  metrics.addMetric("OldestQueuedSeconds", MetricUnit.Seconds, numbers.oldestQueuedSeconds);
  metrics.addMetric("ReservedUsdPerHour", MetricUnit.NoUnit, numbers.reservedUsdPerHour);
  if (numbers.budgetUsedPercent !== undefined) metrics.addMetric("BudgetUsed", MetricUnit.Percent, numbers.budgetUsedPercent);
  if (numbers.teamBudgetUsedPercent !== undefined) metrics.addMetric("TeamBudgetUsed", MetricUnit.Percent, numbers.teamBudgetUsedPercent);
  // Published only if there are any, because a metric costs nothing in months without it, and most fleets never have one.
  if (numbers.openBreakers > 0) metrics.addMetric("OpenBreakers", MetricUnit.Count, numbers.openBreakers);
  if (numbers.unreadableItems > 0) metrics.addMetric("UnreadableItems", MetricUnit.Count, numbers.unreadableItems);
  metrics.publishStoredMetrics();
  // Always, because the alarm about it must see that it is over. One alarm sees all pools, so the pool is no dimension.
  publishFleetCount(of.fleet, stuckMetric, numbers.stuckSteps + numbers.waitingNodes);
}
