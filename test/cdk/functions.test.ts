import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Environments, type FunctionName } from "../../lib/runtime/env.ts";
import { named, Synthesized } from "./synthesized.ts";

const stack = new Synthesized();
const names = z.array(z.custom<FunctionName>((name) => typeof name === "string" && name in Environments)).parse(Object.keys(Environments));
const Variables = z.object({ Variables: z.record(z.string(), z.unknown()) });

describe("functions", () => {
  test("the stack has exactly one function per environment schema", () => {
    expect(
      stack
        .all("AWS::Lambda::Function")
        .map(({ properties }) => properties["FunctionName"])
        .toSorted(),
    ).toEqual(names.map((name) => `fleetwright-${name}`).toSorted());
  });

  describe.each(names)("%s", (name) => {
    const { id, properties } = stack.functionNamed(name);

    test(`${name} runs on Node 24 and ARM as an ES module`, () => {
      expect(properties).toMatchObject({ Runtime: "nodejs24.x", Architectures: ["arm64"], Handler: "index.handler" });
    });

    test(`${name} has exactly the environment variables that it reads`, () => {
      const variables = Variables.parse(properties["Environment"] ?? { Variables: {} }).Variables;
      expect(Object.keys(variables).toSorted()).toEqual(Object.keys(Environments[name].shape).toSorted());
    });

    test(`${name} has a dead-letter queue, unless somebody waits for its response`, () => {
      // CloudFormation, workers and users wait for theirs.
      if (["end-fleet", "node", "api"].includes(name)) return expect(properties["DeadLetterConfig"]).toBeUndefined();
      const reads = stack.all("AWS::Lambda::EventSourceMapping").filter((mapping) => named(mapping.properties["FunctionName"]) === id);
      const redriven = reads.filter((mapping) => {
        const source = named(mapping.properties["EventSourceArn"]);
        return stack.all("AWS::SQS::Queue").some((queue) => queue.id === source && queue.properties["RedrivePolicy"] !== undefined);
      });
      if (reads.length > 0) expect(redriven).toHaveLength(reads.length);
      else expect(named(z.object({ TargetArn: z.unknown() }).parse(properties["DeadLetterConfig"]).TargetArn)).toMatch(/Dead/);
    });

    test(`${name} has an alarm on its errors, unless CloudFormation reports them`, () => {
      const alarm = { Namespace: "AWS/Lambda", MetricName: "Errors", Dimensions: [{ Name: "FunctionName", Value: { Ref: id } }] };
      stack.template.resourcePropertiesCountIs("AWS::CloudWatch::Alarm", alarm, name === "end-fleet" ? 0 : 1);
    });

    test(`${name} logs to a group with a retention`, () => {
      const group = named(z.object({ LogGroup: z.unknown() }).parse(properties["LoggingConfig"]).LogGroup);
      expect(stack.all("AWS::Logs::LogGroup").find((each) => each.id === group)?.properties["RetentionInDays"]).toBe(30);
    });
  });

  test("each function has the memory that its bill and its speed were measured with", () => {
    expect(Object.fromEntries(names.map((name) => [name, stack.functionNamed(name).properties["MemorySize"]]))).toEqual({
      api: 1024,
      "end-fleet": 256,
      node: 512,
      "on-alarm": 256,
      "on-instance": 256,
      place: 1769,
      "rebalance-shards": 1769,
      "ring-later": 256,
      "seal-artifact": 1769,
      "submit-jobs": 512,
      "take-outbox": 1024,
      tick: 1024,
    });
  });

  test("place times out before its message is visible again, and may loop through the queues", () => {
    expect(stack.functionNamed("place").properties).toMatchObject({ Timeout: 20, MemorySize: 1769, RecursiveLoop: "Allow" });
    expect(stack.functionNamed("ring-later").properties).toMatchObject({ RecursiveLoop: "Allow" });
  });

  test("the schedule invokes tick once a minute", () => {
    stack.template.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: "rate(1 minute)",
      State: Match.absent(),
      Target: {
        Arn: { "Fn::GetAtt": [stack.functionNamed("tick").id, "Arn"] },
        Input: '{"tick":"minute"}',
        DeadLetterConfig: Match.anyValue(),
      },
    });
  });

  test("a failed tick is not retried, because the next one follows within a minute", () => {
    expect(stack.all("AWS::Lambda::EventInvokeConfig").map(({ properties }) => properties)).toEqual([
      { FunctionName: { Ref: stack.functionNamed("tick").id }, MaximumRetryAttempts: 0, Qualifier: "$LATEST" },
    ]);
  });

  test("on-instance receives state changes, interruption warnings and rebalance recommendations", () => {
    stack.template.hasResourceProperties("AWS::Events::Rule", {
      EventPattern: {
        source: ["aws.ec2"],
        "detail-type": [
          "EC2 Instance State-change Notification",
          "EC2 Spot Instance Interruption Warning",
          "EC2 Instance Rebalance Recommendation",
        ],
      },
      Targets: [
        Match.objectLike({
          Arn: { "Fn::GetAtt": [stack.functionNamed("on-instance").id, "Arn"] },
          DeadLetterConfig: Match.anyValue(),
          RetryPolicy: Match.anyValue(),
        }),
      ],
    });
  });

  test("only node and the API have a URL, and both require IAM authorization", () => {
    expect(stack.all("AWS::Lambda::Url").map(({ properties }) => properties)).toEqual(
      ["node", "api"].map((name) => ({
        AuthType: "AWS_IAM",
        TargetFunctionArn: { "Fn::GetAtt": [stack.functionNamed(name).id, "Arn"] },
      })),
    );
  });

  test("the instances that end with the stack are the only custom resource", () => {
    const types = Object.values(stack.template.toJSON()["Resources"] ?? {}).map(
      (resource) => z.object({ Type: z.string() }).parse(resource).Type,
    );
    expect(types.filter((type) => type.startsWith("Custom::") || type === "AWS::CloudFormation::CustomResource")).toEqual([
      "Custom::FleetwrightInstances",
    ]);
  });
});
