import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { type AlarmKind, alarmName, metricsNamespace } from "../lib/model/alarm.ts";
import type { Configuration } from "./configuration/configuration.ts";
import type { Queues } from "./queues/queues.ts";
import { withRunbook } from "./watching/runbook.ts";

const minute = Duration.minutes(1);

/**
 * The alarms that ring pools, three per pool and one per team. Each costs $0.10 per month (one metric at standard resolution, see
 * https://aws.amazon.com/cloudwatch/pricing/), so a fleet of two teams and one pool costs $0.50. SQS's own metrics are free, and a pool's metrics are
 * published only while it has work. Missing data does not breach, so every alarm of a fleet that is scaled to zero stays in OK.
 */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { configuration, queues }: { configuration: Configuration; queues: Queues }) {
    super(scope, id);
    const { name: fleet, alarms: at } = configuration;
    for (const [team, { queue }] of queues.jobs) {
      ringing(this, `JobsAge-${team}`, {
        fleet,
        of: team,
        minutes: at.messageMinutes,
        kind: "jobs-age",
        what: `A message has been on team ${team}'s jobs queue for ${at.messageAgeSeconds} s or longer.`,
        metric: queue.metricApproximateAgeOfOldestMessage({ period: minute, statistic: Stats.MAXIMUM }),
        atLeast: at.messageAgeSeconds,
      });
    }
    for (const { name: pool } of configuration.pools) {
      const of = { fleet, of: pool };
      const metric = (metricName: string, statistic: string): Metric =>
        new Metric({ namespace: metricsNamespace, metricName, dimensionsMap: { fleet, pool }, period: minute, statistic });
      ringing(this, `GpuLow-${pool}`, {
        ...of,
        kind: "gpu-low",
        what: `Pool ${pool}'s GPUs are busy for only ${at.gpuLowPercent} % of their time or less.`,
        metric: metric("GpuUtilization", Stats.AVERAGE),
        atMost: at.gpuLowPercent,
        minutes: at.gpuLowMinutes,
      });
      ringing(this, `QueueDepth-${pool}`, {
        ...of,
        kind: "queue-depth",
        what: `Pool ${pool} has ${at.queuedJobs} waiting jobs or more.`,
        metric: metric("QueuedJobs", Stats.MAXIMUM),
        atLeast: at.queuedJobs,
        minutes: at.queueMinutes,
      });
      ringing(this, `QueueAge-${pool}`, {
        ...of,
        kind: "queue-age",
        what: `A job has waited in pool ${pool} for ${at.oldestQueuedSeconds} s or longer.`,
        metric: metric("OldestQueuedSeconds", Stats.MAXIMUM),
        atLeast: at.oldestQueuedSeconds,
        minutes: at.queueMinutes,
      });
    }
  }
}

type Ringing = {
  readonly fleet: string;
  readonly kind: AlarmKind;
  /** The team or the pool. */
  readonly of: string;
  readonly what: string;
  readonly metric: IMetric;
  /** How many minutes in a row the threshold must be crossed. */
  readonly minutes: number;
} & ({ readonly atLeast: number } | { readonly atMost: number });

/** Creates an alarm without an action of its own, because on-alarm receives every state change from EventBridge. */
const ringing = (scope: Construct, id: string, of: Ringing): Alarm =>
  new Alarm(scope, id, {
    alarmName: alarmName(of),
    alarmDescription: withRunbook(of.what, "too-much-or-too-little-work"),
    metric: of.metric,
    evaluationPeriods: of.minutes,
    ...("atLeast" in of
      ? { threshold: of.atLeast, comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD }
      : { threshold: of.atMost, comparisonOperator: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD }),
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
