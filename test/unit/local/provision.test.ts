import { describe, expect, it } from "vitest";
import { checkWiring } from "../../../lib/local/lambda/wiring.ts";
import { createClients } from "../../../lib/local/provision/clients.ts";
import { provision } from "../../../lib/local/provision/stack.ts";
import { arn, type Blueprint, emptyBlueprint, type ProvisionContext } from "../../../lib/local/provision/world.ts";
import { createIdentities } from "../../../lib/local/requests/identities.ts";
import { Template } from "../../../lib/local/template/template.ts";
import { guardOf } from "../../fakes/guards.ts";

/** Nothing listens at this address, because these tests never call AWS. */
const endpoint = "http://127.0.0.1:9";

function world(): ProvisionContext {
  const clients = createClients(endpoint, createIdentities().issue({ role: "test", session: "test" }));
  return {
    clients,
    stack: "Stack",
    endpoint,
    bundle: (bucket, key) => (bucket === "assets" ? `/bundles/${key}` : undefined),
    blueprint: emptyBlueprint(),
  };
}

const make = async (resources: object, more: object = {}): Promise<ProvisionContext> => {
  const made = world();
  await provision(Template.parse({ Resources: resources, ...more }), made);
  return made;
};

const role = {
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } }],
    },
  },
};
/** What every function's role needs. */
const logs = { Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: "*" };
const guardFor = (blueprint: Blueprint) => guardOf({}, { policies: blueprint.policies });
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
  AlarmName: "fleet/gpu-low/gpu",
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

describe("unsupported parts of a template", () => {
  it.each<[string, object, RegExp]>([
    ["an unsupported type", { X: { Type: "AWS::StepFunctions::StateMachine" } }, /X \(AWS::StepFunctions::StateMachine\)/],
    [
      "an unsupported property",
      { Role: { ...role, Properties: { ...role.Properties, PermissionsBoundary: "x" } } },
      /Role \(AWS::IAM::Role\): the property PermissionsBoundary is not known/,
    ],
    [
      "an unsupported nested property",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Environment: { Secret: 1 } } } },
      /Environment\.Secret is not known/,
    ],
    [
      "a filter of an event source",
      { Role: role, Place: handler, M: { ...mapping, Properties: { ...mapping.Properties, FilterCriteria: {} } } },
      /FilterCriteria is not known/,
    ],
    [
      "an unsupported property of an ignored type",
      { A: { Type: "AWS::S3::BucketPolicy", Properties: { Colour: "red" } } },
      /Colour is not known/,
    ],
    [
      "an alarm on an expression",
      { A: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, Metrics: [{ Id: "e1", Expression: "m1/m2" }] } } },
      /A \(AWS::CloudWatch::Alarm\).*Metrics is not known/,
    ],
    [
      "an alarm's action that is not a notification",
      { A: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, AlarmActions: ["arn:aws:lambda:us-east-1:0:function:f"] } } },
      /AlarmActions/,
    ],
    [
      "an alarm's trimmed mean",
      { A: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, Statistic: undefined, ExtendedStatistic: "tm99" } } },
      /ExtendedStatistic: only percentiles, such as p99, are supported/,
    ],
    [
      "an alarm with two statistics",
      { A: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, ExtendedStatistic: "p99" } } },
      /A must have either a Statistic or an ExtendedStatistic/,
    ],
    [
      "more retries than Lambda allows",
      { C: { Type: "AWS::Lambda::EventInvokeConfig", Properties: { FunctionName: "f", Qualifier: "$LATEST", MaximumRetryAttempts: 3 } } },
      /MaximumRetryAttempts/,
    ],
    [
      "a destination for successful events",
      {
        C: {
          Type: "AWS::Lambda::EventInvokeConfig",
          Properties: { FunctionName: "f", Qualifier: "$LATEST", DestinationConfig: { OnSuccess: { Destination: queueArn } } },
        },
      },
      /DestinationConfig\.OnSuccess is not known/,
    ],
    [
      "an unsupported value",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Runtime: "python3.13" } } },
      /Place \(AWS::Lambda::Function\): Runtime/,
    ],
    [
      "an unsupported attribute",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Role: { "Fn::GetAtt": ["Role", "Colour"] } } } },
      /Role\.Colour/,
    ],
    [
      "code that is not an asset",
      { Role: role, Place: { ...handler, Properties: { ...handler.Properties, Code: { S3Bucket: "b", S3Key: "k" } } } },
      /b\/k, is not an asset of the stack/,
    ],
  ])("the local cloud does not start with %s, and names it", async (_name, resources, message) => {
    await expect(make(resources)).rejects.toThrow(message);
  });

  it("the local cloud does not start with an unknown section of the template or an unknown part of a resource", () => {
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
      PolicyDocument: { Version: "2012-10-17", Statement: [logs, { Effect: "Allow", Action: actions, Resource: queueArn }] },
    },
  });

  it("functions, their queues and their URLs are recorded in the blueprint", async () => {
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
        logGroupArn: arn("logs", "log-group:/aws/lambda/fleet-place"),
        deadLetterArn: undefined,
        maximumConcurrency: undefined,
      },
    ]);
    expect(blueprint.eventSources).toEqual([
      { queueArn, functionName: "fleet-place", batchSize: 10, windowMs: 0, partialFailures: true, maximumConcurrency: undefined },
    ]);
    expect(blueprint.functionUrls).toEqual([{ functionArn: arn("lambda", "function:fleet-place") }]);
  });

  it.each([1, 1_001])(
    "the local cloud does not start with a maximum concurrency of %d for a queue, because AWS refuses it",
    async (most) => {
      const limited = (MaximumConcurrency: number) =>
        make({
          Role: role,
          Place: handler,
          Mapping: { ...mapping, Properties: { ...mapping.Properties, ScalingConfig: { MaximumConcurrency } } },
        });
      await expect(limited(most)).rejects.toThrow(/ScalingConfig\.MaximumConcurrency/);
      expect((await limited(2)).blueprint.eventSources.map(({ maximumConcurrency }) => maximumConcurrency)).toEqual([2]);
      expect((await limited(1_000)).blueprint.eventSources.map(({ maximumConcurrency }) => maximumConcurrency)).toEqual([1_000]);
    },
  );

  it("a template may refer to every value that CloudFormation knows about a stack", async () => {
    const names = ["AccountId", "Partition", "Region", "StackId", "StackName", "URLSuffix"];
    const Variables = Object.fromEntries(names.map((name) => [name, { Ref: `AWS::${name}` }]));
    const Properties = { ...handler.Properties, Environment: { Variables } };
    const { blueprint } = await make({ Role: role, Place: { ...handler, Properties } });
    expect(blueprint.functions[0]?.variables).toEqual({
      AccountId: "000000000000",
      Partition: "aws",
      Region: "us-east-1",
      StackId: "arn:aws:cloudformation:us-east-1:000000000000:stack/Stack/local",
      StackName: "Stack",
      URLSuffix: "amazonaws.com",
    });
  });

  it("a function's on-failure destination is recorded, and the start fails if its role may not send there", async () => {
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
    expect(() => checkWiring(without.blueprint, guardFor(without.blueprint))).toThrow(
      /fleet-place lacks sqs:SendMessage on its destination/,
    );
    const whole = await make({ Role: role, Place: handler, Config: config, Policy: allow("sqs:SendMessage") });
    expect(() => checkWiring(whole.blueprint, guardFor(whole.blueprint))).not.toThrow();
  });

  it("the start fails if a function's role may not read its queue", async () => {
    const without = await make({ Role: role, Place: handler, Mapping: mapping, Policy: allow("sqs:ReceiveMessage") });
    expect(() => checkWiring(without.blueprint, guardFor(without.blueprint))).toThrow(
      /fleet-place lacks sqs:DeleteMessage on .*\n.*fleet-place lacks sqs:GetQueueAttributes on/,
    );
    const whole = await make({
      Role: role,
      Place: handler,
      Mapping: mapping,
      Policy: allow("sqs:Receive*", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    });
    expect(() => checkWiring(whole.blueprint, guardFor(whole.blueprint))).not.toThrow();
  });

  it("a resource whose condition is false is not created", async () => {
    const conditions = { Conditions: { No: { "Fn::Equals": [{ Ref: "AWS::Region" }, "elsewhere"] } } };
    const { blueprint } = await make({ Role: role, Place: { ...handler, Condition: "No" } }, conditions);
    expect(blueprint.functions).toEqual([]);
  });
});

it("an alarm on a percentile is recorded with it, and a dashboard is ignored", async () => {
  const { blueprint } = await make({
    Slow: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, Statistic: undefined, ExtendedStatistic: "p99.9" } },
    Board: { Type: "AWS::CloudWatch::Dashboard", Properties: { DashboardName: "fleet-here", DashboardBody: "{}" } },
  });
  expect(blueprint.alarms).toMatchObject([{ statistic: "p99.9" }]);
});

it("an alarm is recorded with the template's settings, and with CloudWatch's defaults for the others", async () => {
  const { blueprint } = await make({
    High: { Type: "AWS::CloudWatch::Alarm", Properties: { ...alarmed, AlarmActions: ["arn:aws:sns:us-east-1:0:people"] } },
    Other: {
      Type: "AWS::CloudWatch::Alarm",
      Properties: { ...alarmed, AlarmName: undefined, DatapointsToAlarm: 2, TreatMissingData: "ignore", Unit: "Percent" },
    },
  });
  expect(blueprint.alarms).toEqual([
    {
      name: "fleet/gpu-low/gpu",
      arn: arn("cloudwatch", "alarm:fleet/gpu-low/gpu"),
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
