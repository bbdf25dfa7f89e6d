import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { parseConfiguration } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { alarmOf, poolsOf } from "../../lib/model/alarm.ts";
import { Synthesized } from "./synthesized.ts";

const stack = new Synthesized();
const ringing = stack.all("AWS::CloudWatch::Alarm").filter(({ properties }) => String(properties["AlarmName"]).includes("/"));
const named = (name: string): Record<string, unknown> => stack.one("AWS::CloudWatch::Alarm", "AlarmName", name).properties;
const ofPool = [
  { Name: "fleet", Value: "fleetwright" },
  { Name: "pool", Value: "gpu" },
];

describe("the alarms that ring pools", () => {
  test("the stack has three alarms per pool and one per team", () => {
    expect(ringing.map(({ properties }) => properties["AlarmName"]).toSorted()).toEqual([
      "fleetwright/gpu-low/gpu",
      "fleetwright/jobs-age/research",
      "fleetwright/jobs-age/vision",
      "fleetwright/queue-age/gpu",
      "fleetwright/queue-depth/gpu",
    ]);
  });

  test("an alarm's name says which pools it rings", () => {
    const { name, pools } = parseConfiguration(fleetConfig, "the test");
    for (const { properties } of ringing) {
      const alarm = alarmOf(String(properties["AlarmName"]), name);
      expect(alarm && poolsOf(alarm, pools)).toEqual(["gpu"]);
    }
  });

  test("alarms that ring pools do not go off without data, and evaluate each minute", () => {
    for (const { properties } of ringing) expect(properties).toMatchObject({ TreatMissingData: "notBreaching", Period: 60 });
  });

  test.each([
    ["gpu-low", "GpuUtilization", "Average", "LessThanOrEqualToThreshold", 10, 10],
    ["queue-depth", "QueuedJobs", "Maximum", "GreaterThanOrEqualToThreshold", 100, 5],
    ["queue-age", "OldestQueuedSeconds", "Maximum", "GreaterThanOrEqualToThreshold", 1800, 5],
  ])("the alarm %s watches the metric that the tick publishes", (kind, metric, statistic, comparison, threshold, minutes) => {
    expect(named(`fleetwright/${kind}/gpu`)).toMatchObject({
      Namespace: "Fleetwright",
      MetricName: metric,
      Dimensions: ofPool,
      Statistic: statistic,
      ComparisonOperator: comparison,
      Threshold: threshold,
      EvaluationPeriods: minutes,
    });
  });

  test("the alarm jobs-age watches its team's queue", () => {
    const queue = stack.one("AWS::SQS::Queue", "QueueName", "fleetwright-jobs-vision");
    expect(named("fleetwright/jobs-age/vision")).toMatchObject({
      Namespace: "AWS/SQS",
      MetricName: "ApproximateAgeOfOldestMessage",
      Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": [queue.id, "QueueName"] } }],
      Threshold: 300,
      EvaluationPeriods: 2,
    });
  });

  test("the admin sets the thresholds of the alarms", () => {
    const own = new Synthesized({ ...fleetConfig, alarms: { gpuLowPercent: 25, gpuLowMinutes: 2 } });
    expect(own.one("AWS::CloudWatch::Alarm", "AlarmName", "fleetwright/gpu-low/gpu").properties).toMatchObject({
      Threshold: 25,
      EvaluationPeriods: 2,
    });
  });

  test("on-alarm receives the state changes of the fleet's alarms and of no other alarm", () => {
    stack.template.hasResourceProperties("AWS::Events::Rule", {
      EventPattern: {
        source: ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        detail: { alarmName: [{ prefix: "fleetwright/" }] },
      },
      Targets: [
        Match.objectLike({
          Arn: { "Fn::GetAtt": [stack.functionNamed("on-alarm").id, "Arn"] },
          DeadLetterConfig: Match.anyValue(),
          RetryPolicy: { MaximumEventAgeInSeconds: 7200, MaximumRetryAttempts: 10 },
        }),
      ],
    });
  });

  test.each([
    ["a percentage above 100", { gpuLowPercent: 101 }, /alarms\.gpuLowPercent: .*0 to 100/],
    ["zero minutes", { queueMinutes: 0 }, /alarms\.queueMinutes: .*at least 1/],
    ["a misspelt field", { gpuLo: 3 }, /there is no field "gpuLo"/],
  ])("the configuration of alarms refuses %s", (_what, alarms, message) => {
    expect(() => parseConfiguration({ ...fleetConfig, alarms }, "here")).toThrow(message);
  });
});

describe("the alarms about the whole deployment", () => {
  test.each([
    ["stuck", "Stuck", { Statistic: "Maximum", Period: 60, EvaluationPeriods: 10, Threshold: 1 }],
    ["dead-jobs", "DeadJobs", { Statistic: "Maximum", Period: 60, EvaluationPeriods: 1, Threshold: 1 }],
    ["failed-messages", "FailedMessages", { Statistic: "Sum", Period: 300, EvaluationPeriods: 1, Threshold: 3 }],
  ])("the alarm %s watches one metric of all pools, teams and functions, which none of them has as a dimension", (name, metric, of) => {
    expect(named(`fleetwright-${name}`)).toMatchObject({
      Namespace: "Fleetwright",
      MetricName: metric,
      Dimensions: [{ Name: "fleet", Value: "fleetwright" }],
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      TreatMissingData: "notBreaching",
      ...of,
    });
  });

  test("an alarm goes off when the tick has not run for half an hour, because the alarms about its metrics then see nothing", () => {
    expect(named("fleetwright-tick-silent")).toMatchObject({
      Namespace: "AWS/Lambda",
      MetricName: "Invocations",
      Dimensions: [{ Name: "FunctionName", Value: { Ref: stack.functionNamed("tick").id } }],
      Statistic: "Sum",
      Period: 300,
      EvaluationPeriods: 6,
      Threshold: 1,
      ComparisonOperator: "LessThanThreshold",
      TreatMissingData: "breaching",
    });
  });
});
