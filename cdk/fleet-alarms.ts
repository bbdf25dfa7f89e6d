import { Duration } from "aws-cdk-lib";
import { Alarm, type AlarmProps, ComparisonOperator, Metric, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { deadJobsMetric, failedMessagesMetric, metricsNamespace, stuckMetric } from "../lib/model/alarm.ts";
import { withRunbook } from "./watching/runbook.ts";

const minute = Duration.minutes(1);
const fiveMinutes = Duration.minutes(5);
const stuckMinutes = 10;
const silentMinutes = 30;

/**
 * The alarms about a whole deployment, for people. Each replaces one per pool, team or function, because an alarm costs $0.10 per month, and
 * `fleet problems`, a log or a metric names the part that is meant. Their names have no slash, because they ring no pool: a decision would not help.
 */
export class FleetAlarms extends Construct {
  constructor(scope: Construct, id: string, { fleet, tick }: { readonly fleet: string; readonly tick: IFunction }) {
    super(scope, id);
    const metric = (metricName: string, period: Duration, statistic: string): Metric =>
      new Metric({ namespace: metricsNamespace, metricName, dimensionsMap: { fleet }, period, statistic });
    alarm(this, "Stuck", {
      alarmName: `${fleet}-stuck`,
      alarmDescription: withRunbook(
        `A pool has tried something again and again, or waited for EC2 to end an instance, for ${stuckMinutes} minutes. fleet problems says which, what and why.`,
        "a-step-fails-again-and-again",
      ),
      // Each pool publishes a value of its own each minute.
      metric: metric(stuckMetric, minute, Stats.MAXIMUM),
      evaluationPeriods: stuckMinutes,
      threshold: 1,
    });
    alarm(this, "DeadJobs", {
      alarmName: `${fleet}-dead-jobs`,
      alarmDescription: withRunbook(
        "Messages for a team's jobs queue could not be handled and are kept in its dead-letter queue. fleet problems says which.",
        "a-message-could-not-be-handled",
      ),
      metric: metric(deadJobsMetric, minute, Stats.MAXIMUM),
      threshold: 1,
    });
    // Lambda counts no error if a batch's response names the messages that failed.
    alarm(this, "FailedMessages", {
      alarmName: `${fleet}-failed-messages`,
      alarmDescription: withRunbook(
        `Functions could not handle messages, each after several tries, three times within five minutes. The metric ${failedMessagesMetric} of each service says which function.`,
        "a-function-fails",
      ),
      metric: metric(failedMessagesMetric, fiveMinutes, Stats.SUM),
      threshold: 3,
    });
    alarm(this, "TickSilent", {
      alarmName: `${fleet}-tick-silent`,
      alarmDescription: withRunbook(
        `${fleet}-tick has not run for ${silentMinutes} minutes, so alarms about pools and about dead letters of jobs see nothing.`,
        "a-function-fails",
      ),
      metric: tick.metricInvocations({ period: fiveMinutes, statistic: Stats.SUM }),
      evaluationPeriods: silentMinutes / fiveMinutes.toMinutes(),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      // Lambda publishes nothing about a function that is not called.
      treatMissingData: TreatMissingData.BREACHING,
    });
  }
}

type Given = Pick<AlarmProps, "alarmName" | "alarmDescription" | "metric" | "threshold"> & Partial<AlarmProps>;

const alarm = (scope: Construct, id: string, given: Given): Alarm =>
  new Alarm(scope, id, {
    evaluationPeriods: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    ...given,
  });
