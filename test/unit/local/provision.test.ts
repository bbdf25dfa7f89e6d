import { describe, expect, it } from "vitest";
import { checkWiring } from "../../../lib/local/lambda/wiring.ts";
import { createClients } from "../../../lib/local/provision/clients.ts";
import { provision } from "../../../lib/local/provision/stack.ts";
import { arn, emptyBlueprint, type World } from "../../../lib/local/provision/world.ts";
import { createIdentities } from "../../../lib/local/requests/identities.ts";
import { Template } from "../../../lib/local/template/template.ts";

/** Nothing listens there: what is tested here never calls AWS. */
const endpoint = "http://127.0.0.1:9";

function world(): World {
  const clients = createClients(endpoint, createIdentities().issue({ role: "test", session: "test" }));
  return {
    clients,
    stack: "Stack",
    endpoint,
    bundle: (bucket, key) => (bucket === "assets" ? `/bundles/${key}` : undefined),
    blueprint: emptyBlueprint(),
  };
}

const make = async (resources: object, more: object = {}): Promise<World> => {
  const made = world();
  await provision(Template.parse({ Resources: resources, ...more }), made);
  return made;
};

const role = { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: {} } };
const handler = {
  Type: "AWS::Lambda::Function",
  Properties: {
    FunctionName: "fleet-place",
    Code: { S3Bucket: "assets", S3Key: "place.zip" },
    Handler: "index.handler",
    Runtime: "nodejs24.x",
    Role: { "Fn::GetAtt": ["Role", "Arn"] },
    Timeout: 20,
    Environment: { Variables: { REGION: { Ref: "AWS::Region" } } },
  },
};
const queueArn = arn("sqs", "lane.fifo");
const mapping = {
  Type: "AWS::Lambda::EventSourceMapping",
  Properties: {
    EventSourceArn: queueArn,
    FunctionName: { Ref: "Place" },
    BatchSize: 10,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  },
};

const alarmed = {
  AlarmName: "fleet/gpu-high/gpu",
  AlarmDescription: "Its GPUs are busy.",
  Namespace: "Fleetwright",
  MetricName: "GpuUtilization",
  Dimensions: [{ Name: "pool", Value: "gpu" }],
  Statistic: "Average",
  Period: 60,
  EvaluationPeriods: 5,
  Threshold: 90,
  ComparisonOperator: "GreaterThanThreshold",
};

describe("what the local cloud does not understand stops the start, by name", () => {
  it.each<[string, object, RegExp]>([
    ["a type", { X: { Type: "AWS::StepFunctions::StateMachine" } }, /X \(AWS::StepFunctions::StateMachine\)/],
    [
      "a property",
      { Role: { ...role, Properties: { PermissionsBoundary: "x" } } },
      /Role \(AWS::IAM::Role\): the property PermissionsBoundary is not known/,
    ],
    [
      "a property inside another",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Environment: { Secret: 1 } } } },
      /Environment\.Secret is not known/,
    ],
    [
      "a filter of an event source",
      { Role: role, Place: handler, M: { ...mapping, Properties: { ...mapping.Properties, FilterCriteria: {} } } },
      /FilterCriteria is not known/,
    ],
    [
      "a property of a type that changes nothing",
      { A: { Type: "AWS::S3::BucketPolicy", Properties: { Colour: "red" } } },
      /Colour is not known/,
    ],
    [
      "an alarm on an expression",
      { A: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, Metrics: [{ Id: "e1", Expression: "m1/m2" }] } } },
      /A \(AWS::CloudWatch::Alarm\).*Metrics is not known/,
    ],
    [
      "an alarm's action that is no message to a person",
      { A: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, AlarmActions: ["arn:aws:lambda:us-east-1:0:function:f"] } } },
      /AlarmActions/,
    ],
    [
      "an alarm's percentile",
      { A: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, Statistic: undefined, ExtendedStatistic: "p99" } } },
      /ExtendedStatistic is not known/,
    ],
    [
      "more retries than there are",
      { C: { Type: "AWS::Lambda::EventInvokeConfig", Properties: { FunctionName: "f", Qualifier: "$LATEST", MaximumRetryAttempts: 3 } } },
      /MaximumRetryAttempts/,
    ],
    [
      "a destination of what succeeded",
      {
        C: {
          Type: "AWS::Lambda::EventInvokeConfig",
          Properties: { FunctionName: "f", Qualifier: "$LATEST", DestinationConfig: { OnSuccess: { Destination: queueArn } } },
        },
      },
      /DestinationConfig\.OnSuccess is not known/,
    ],
    [
      "a value",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Runtime: "python3.13" } } },
      /Place \(AWS::Lambda::Function\): Runtime/,
    ],
    [
      "an attribute",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Role: { "Fn::GetAtt": ["Role", "Colour"] } } } },
      /Role\.Colour/,
    ],
    [
      "code from elsewhere",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Code: { S3Bucket: "b", S3Key: "k" } } } },
      /b\/k, is none of the stack's assets/,
    ],
  ])("%s", async (_name, resources, message) => {
    await expect(make(resources)).rejects.toThrow(message);
  });

  it("a section of the template, and a part of a resource", () => {
    expect(() => Template.parse({ Resources: {}, Transform: "AWS::Serverless" })).toThrow(/Transform/);
    expect(() => Template.parse({ Resources: { A: { Type: "T", CreationPolicy: {} } } })).toThrow(/CreationPolicy/);
  });
});

describe("functions and what calls them", () => {
  const allow = (...actions: string[]) => ({
    Type: "AWS::IAM::Policy",
    Properties: {
      PolicyName: "p",
      Roles: [{ Ref: "Role" }],
      PolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: queueArn }] },
    },
  });

  it("become facts", async () => {
    const { blueprint } = await make({
      Role: role,
      Place: handler,
      Mapping: mapping,
      Url: { Type: "AWS::Lambda::Url", Properties: { AuthType: "AWS_IAM", TargetFunctionArn: { "Fn::GetAtt": ["Place", "Arn"] } } },
    });
    expect(blueprint.functions).toEqual([
      {
        name: "fleet-place",
        arn: arn("lambda", "function:fleet-place"),
        folder: "/bundles/place.zip",
        handler: "index.handler",
        timeoutMs: 20_000,
        memoryMiB: 128,
        variables: { REGION: "us-east-1" },
        role: "Stack-Role",
        deadLetterArn: undefined,
        maximumConcurrency: undefined,
      },
    ]);
    expect(blueprint.eventSources).toEqual([
      { queueArn, functionName: "fleet-place", batchSize: 10, windowMs: 0, partialFailures: true, maximumConcurrency: undefined },
    ]);
    expect(blueprint.functionUrls).toEqual([{ functionArn: arn("lambda", "function:fleet-place") }]);
  });

  it("know what becomes of events that they fail on, and are refused while they may not send them there", async () => {
    const config = {
      Type: "AWS::Lambda::EventInvokeConfig",
      Properties: {
        FunctionName: { Ref: "Place" },
        Qualifier: "$LATEST",
        MaximumRetryAttempts: 1,
        MaximumEventAgeInSeconds: 120,
        DestinationConfig: { OnFailure: { Destination: queueArn } },
      },
    };
    const without = await make({ Role: role, Place: handler, Config: config });
    expect(without.blueprint.asynchronous).toEqual([
      { functionName: "fleet-place", retries: 1, maxAgeMs: 120_000, onFailureArn: queueArn },
    ]);
    expect(() => checkWiring(without.blueprint)).toThrow(/fleet-place lacks sqs:SendMessage on its destination/);
    const whole = await make({ Role: role, Place: handler, Config: config, Policy: allow("sqs:SendMessage") });
    expect(() => checkWiring(whole.blueprint)).not.toThrow();
  });

  it("are refused while the function's role may not read its queue", async () => {
    const without = await make({ Role: role, Place: handler, Mapping: mapping, Policy: allow("sqs:ReceiveMessage") });
    expect(() => checkWiring(without.blueprint)).toThrow(/fleet-place lacks sqs:DeleteMessage, sqs:GetQueueAttributes/);
    const whole = await make({
      Role: role,
      Place: handler,
      Mapping: mapping,
      Policy: allow("sqs:Receive*", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    });
    expect(() => checkWiring(whole.blueprint)).not.toThrow();
  });

  it("leaves out what a condition leaves out", async () => {
    const conditions = { Conditions: { No: { "Fn::Equals": [{ Ref: "AWS::Region" }, "elsewhere"] } } };
    const { blueprint } = await make({ Role: role, Place: { ...handler, Condition: "No" } }, conditions);
    expect(blueprint.functions).toEqual([]);
  });
});

it("an alarm is told as the template says it, and otherwise as CloudWatch does", async () => {
  const { blueprint } = await make({
    High: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, AlarmActions: ["arn:aws:sns:us-east-1:0:people"] } },
    Other: {
      Type: "AWS::CloudWatch::Alarm",
      Properties: { ...alarmed, AlarmName: undefined, DatapointsToAlarm: 2, TreatMissingData: "ignore", Unit: "Percent" },
    },
  });
  expect(blueprint.alarms).toEqual([
    {
      name: "fleet/gpu-high/gpu",
      arn: arn("cloudwatch", "alarm:fleet/gpu-high/gpu"),
      description: "Its GPUs are busy.",
      metric: { namespace: "Fleetwright", name: "GpuUtilization", dimensions: { pool: "gpu" } },
      unit: undefined,
      statistic: "Average",
      periodSeconds: 60,
      evaluationPeriods: 5,
      datapointsToAlarm: 5,
      threshold: 90,
      comparison: "GreaterThanThreshold",
      missing: "missing",
    },
    expect.objectContaining({ name: "Stack-Other", datapointsToAlarm: 2, missing: "ignore", unit: "Percent" }),
  ]);
});
