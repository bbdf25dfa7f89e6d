import { ParameterNotFound } from "@aws-sdk/client-ssm";
import { describe, expect, it } from "vitest";
import { createClients } from "../../../lib/local/provision/clients.ts";
import { provision } from "../../../lib/local/provision/stack.ts";
import { arn, emptyBlueprint, type ProvisionContext } from "../../../lib/local/provision/world.ts";
import { createIdentities } from "../../../lib/local/requests/identities.ts";
import { Template } from "../../../lib/local/template/template.ts";

type Response = object | Error | undefined;

type Input = Readonly<Record<string, unknown>>;
type Handler = (call: { readonly input: Input }) => Promise<{ readonly output: object; readonly response: object }>;
type Stack = { add(middleware: (next: unknown, context: { readonly commandName?: string }) => Handler, options: object): void };

/** Clients of services that note each call, and respond with what `respond` returns. */
function notedClients(respond: (command: string, input: Input) => Response) {
  const calls: [command: string, input: object][] = [];
  const { destroy: _, ...clients } = createClients("http://127.0.0.1:9", createIdentities().issue({ role: "test", session: "test" }));
  // Each client's stack has its own types, which a list of them all cannot express.
  const stacks = Object.values(clients).map(({ middlewareStack }) => middlewareStack as unknown as Stack);
  for (const stack of stacks)
    stack.add(
      (_next, context) =>
        async ({ input }) => {
          const command = (context.commandName ?? "").replace(/Command$/, "");
          calls.push([command, input]);
          const output = respond(command, input) ?? {};
          if (output instanceof Error) throw output;
          return { output: { $metadata: {}, ...output }, response: {} };
        },
      { step: "initialize", priority: "high" },
    );
  return { clients, calls };
}

const usual = (command: string, input: Input): Response =>
  ({
    CreateVpc: { Vpc: { VpcId: "vpc-1" } },
    CreateSubnet: { Subnet: { SubnetId: "subnet-1" } },
    CreateSecurityGroup: { GroupId: "sg-1" },
    CreateLaunchTemplate: { LaunchTemplate: { LaunchTemplateId: "lt-1" } },
    CreateKey: { KeyMetadata: { KeyId: "key-1", Arn: "arn:key-1" } },
    CreateQueue: { QueueUrl: `http://queues/${input["QueueName"]}` },
    GetParameter: { Parameter: { Value: "ami-known" } },
  })[command];

async function made(resources: object, respond: Parameters<typeof notedClients>[0] = usual) {
  const { clients, calls } = notedClients(respond);
  const context: ProvisionContext = {
    clients,
    stack: "Stack",
    endpoint: "http://127.0.0.1:9",
    bundle: (_bucket, key) => `/bundles/${key}`,
    blueprint: emptyBlueprint(),
  };
  await provision(Template.parse({ Resources: resources }), context);
  return { calls: calls.filter(([command]) => command !== "PutParameter"), all: calls, blueprint: context.blueprint };
}

/** Returns a parameter whose value shows a resource's reference and these attributes of it. */
const shows = (id: string, ...attributes: readonly string[]) => ({
  Type: "AWS::SSM::Parameter",
  Properties: {
    Name: `/shown/${id}`,
    Type: "String",
    Value: { "Fn::Join": [" ", [{ Ref: id }, ...attributes.map((name) => ({ "Fn::GetAtt": [id, name] }))]] },
  },
});

type Case = { readonly type: string; readonly properties?: object; readonly attributes?: readonly string[] };

/** A policy document, of whatever it is. */
const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "a" } }] };

const cases: Readonly<Record<string, Case>> = {
  "an event bus": { type: "AWS::Events::EventBus", properties: { Name: "bus", Description: "x" }, attributes: ["Name", "Arn"] },
  "a bucket's policy": { type: "AWS::S3::BucketPolicy", properties: { Bucket: "b", PolicyDocument: trust } },
  "the policy of a queue": {
    type: "AWS::SQS::QueuePolicy",
    properties: { Queues: ["https://sqs.us-east-1.amazonaws.com/000000000000/q"], PolicyDocument: trust },
  },
  "a bucket whose access logs are kept": {
    type: "AWS::S3::Bucket",
    properties: { BucketName: "b", LoggingConfiguration: { DestinationBucketName: "logs", LogFilePrefix: "b/" } },
  },
  "a key": {
    type: "AWS::KMS::Key",
    properties: { KeyPolicy: trust, Description: "of a team", Tags: [{ Key: "team", Value: "vision" }], EnableKeyRotation: true },
    attributes: ["Arn", "KeyId"],
  },
  "an alias of a key": { type: "AWS::KMS::Alias", properties: { AliasName: "alias/a", TargetKeyId: "key-1" } },
  "a log group": {
    type: "AWS::Logs::LogGroup",
    properties: { LogGroupName: "/logs", KmsKeyId: "key-1", RetentionInDays: 30 },
    attributes: ["Arn"],
  },
  "a log group without properties": { type: "AWS::Logs::LogGroup", attributes: ["Arn"] },
  "a table": {
    type: "AWS::DynamoDB::Table",
    properties: {
      TableName: "jobs",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
    },
    attributes: ["Arn"],
  },
  "a table without a time to live": {
    type: "AWS::DynamoDB::Table",
    properties: { BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [], KeySchema: [] },
    attributes: ["Arn"],
  },
  "a bucket": {
    type: "AWS::S3::Bucket",
    properties: {
      BucketName: "artifacts",
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "key-1" } },
        ],
      },
      NotificationConfiguration: { EventBridgeConfiguration: {} },
      VersioningConfiguration: { Status: "Enabled" },
    },
    attributes: ["Arn", "DomainName", "RegionalDomainName"],
  },
  "a bucket that sends no events": {
    type: "AWS::S3::Bucket",
    properties: { NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: false } } },
    attributes: ["Arn"],
  },
  "a queue": {
    type: "AWS::SQS::Queue",
    properties: { QueueName: "jobs", VisibilityTimeout: 30, RedrivePolicy: { deadLetterTargetArn: "arn:dead", maxReceiveCount: "3" } },
    attributes: ["Arn", "QueueName", "QueueUrl"],
  },
  "a FIFO queue without a name": { type: "AWS::SQS::Queue", properties: { FifoQueue: true }, attributes: ["QueueName"] },
  "a network": {
    type: "AWS::EC2::VPC",
    properties: { CidrBlock: "10.0.0.0/16", EnableDnsSupport: true },
    attributes: ["VpcId", "CidrBlock"],
  },
  "a subnet": {
    type: "AWS::EC2::Subnet",
    properties: { AvailabilityZone: "us-east-1a", CidrBlock: "10.0.0.0/24", VpcId: "vpc-1", MapPublicIpOnLaunch: true },
    attributes: ["SubnetId", "AvailabilityZone", "CidrBlock"],
  },
  "a security group": {
    type: "AWS::EC2::SecurityGroup",
    properties: {
      GroupName: "nodes",
      GroupDescription: "of nodes",
      VpcId: "vpc-1",
      SecurityGroupEgress: [
        { IpProtocol: "tcp", FromPort: 443, ToPort: 443, CidrIp: "0.0.0.0/0", Description: "to AWS" },
        { IpProtocol: "-1", DestinationSecurityGroupId: "sg-2", Description: "to nodes" },
      ],
    },
    attributes: ["GroupId", "Id", "VpcId"],
  },
  "a security group without rules": { type: "AWS::EC2::SecurityGroup", properties: { GroupDescription: "none", VpcId: "vpc-1" } },
  "a launch template": {
    type: "AWS::EC2::LaunchTemplate",
    properties: {
      LaunchTemplateName: "node",
      LaunchTemplateData: {
        ImageId: "resolve:ssm:/aws/service/ami",
        InstanceType: "g5.xlarge",
        TagSpecifications: [
          { ResourceType: "instance", Tags: [{ Key: "a", Value: "b" }] },
          { ResourceType: "no such type", Tags: [] },
        ],
      },
      TagSpecifications: [],
    },
    attributes: ["LaunchTemplateId", "LatestVersionNumber", "DefaultVersionNumber"],
  },
  "a rule": {
    type: "AWS::Events::Rule",
    properties: {
      Name: "rule",
      EventBusName: "arn:aws:events:us-east-1:000000000000:event-bus/bus",
      EventPattern: { source: ["aws.ec2"] },
      Targets: [
        { Id: "one", Arn: "arn:aws:sqs:us-east-1:000000000000:lane.fifo", SqsParameters: { MessageGroupId: "g" }, RetryPolicy: {} },
        {
          Id: "two",
          Arn: "arn:aws:lambda:us-east-1:000000000000:function:f",
          Input: "{}",
          DeadLetterConfig: { Arn: "arn:aws:sqs:us-east-1:000000000000:dead" },
        },
      ],
    },
    attributes: ["Arn"],
  },
  "a rule of the default bus without targets": {
    type: "AWS::Events::Rule",
    properties: { EventPattern: {}, State: "DISABLED" },
    attributes: ["Arn"],
  },
  "a schedule": {
    type: "AWS::Scheduler::Schedule",
    properties: {
      Name: "minute",
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: {
        Arn: "arn:aws:lambda:us-east-1:000000000000:function:tick",
        RoleArn: "arn:aws:iam::000000000000:role/scheduler",
        Input: '{"tick":1}',
      },
    },
    attributes: ["Arn"],
  },
  "a schedule that is switched off": {
    type: "AWS::Scheduler::Schedule",
    properties: {
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      State: "DISABLED",
      Target: { Arn: "arn:aws:lambda:us-east-1:000000000000:function:tick", RoleArn: "role" },
    },
    attributes: ["Arn"],
  },
  "the fleet's instances": {
    type: "Custom::FleetwrightInstances",
    properties: { ServiceToken: "arn:aws:lambda:us-east-1:000000000000:function:end", Name: "fleet" },
  },
  "a role": {
    type: "AWS::IAM::Role",
    properties: {
      RoleName: "node",
      AssumeRolePolicyDocument: trust,
      Policies: [
        {
          PolicyName: "p",
          PolicyDocument: { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "*" } },
        },
      ],
    },
    attributes: ["Arn"],
  },
  "a policy of two roles": {
    type: "AWS::IAM::Policy",
    properties: {
      PolicyName: "p",
      Roles: ["one", "two"],
      PolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] },
    },
  },
  "an instance profile": {
    type: "AWS::IAM::InstanceProfile",
    properties: { InstanceProfileName: "node", Roles: ["arn:aws:iam::000000000000:role/worker"] },
    attributes: ["Arn"],
  },
  "an instance profile without a name": { type: "AWS::IAM::InstanceProfile", properties: { Roles: ["worker"] }, attributes: ["Arn"] },
  "a function": {
    type: "AWS::Lambda::Function",
    properties: {
      FunctionName: "f",
      Code: { S3Bucket: "assets", S3Key: "f.zip" },
      Handler: "index.handler",
      Runtime: "nodejs24.x",
      Role: "arn:aws:iam::000000000000:role/worker",
      Timeout: "20",
      MemorySize: "512",
      Environment: { Variables: { A: "1" } },
      DeadLetterConfig: { TargetArn: "arn:dead" },
      ReservedConcurrentExecutions: "4",
      TracingConfig: {},
    },
    attributes: ["Arn"],
  },
  "a function with Lambda's defaults": {
    type: "AWS::Lambda::Function",
    properties: { Code: { S3Bucket: "assets", S3Key: "f.zip" }, Handler: "index.handler", Runtime: "nodejs24.x", Role: "worker" },
    attributes: ["Arn"],
  },
  "a permission to call a function": {
    type: "AWS::Lambda::Permission",
    properties: {
      Action: "lambda:InvokeFunction",
      FunctionName: "arn:aws:lambda:us-east-1:000000000000:function:f",
      Principal: "events.amazonaws.com",
      SourceArn: "arn:rule",
    },
  },
  "a permission to call a function's URL": {
    type: "AWS::Lambda::Permission",
    properties: { Action: "lambda:InvokeFunctionUrl", FunctionName: "f", Principal: "*" },
  },
  "a function's URL": {
    type: "AWS::Lambda::Url",
    properties: { AuthType: "AWS_IAM", TargetFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f" },
    attributes: ["FunctionArn", "FunctionUrl"],
  },
  "the retries of a function": { type: "AWS::Lambda::EventInvokeConfig", properties: { FunctionName: "f", Qualifier: "$LATEST" } },
  "an event source": {
    type: "AWS::Lambda::EventSourceMapping",
    properties: {
      EventSourceArn: "arn:aws:sqs:us-east-1:000000000000:lane.fifo",
      FunctionName: "arn:aws:lambda:us-east-1:000000000000:function:f",
      MaximumBatchingWindowInSeconds: 2,
      ScalingConfig: { MaximumConcurrency: 5 },
    },
    attributes: ["Id"],
  },
  "a route, which has no effect here": { type: "AWS::EC2::Route", properties: { RouteTableId: "r" }, attributes: ["Arn"] },
};

describe("the calls that create a stack's resources", () => {
  it.each(Object.entries(cases))("the local cloud creates %s", async (_what, { type, properties = {}, attributes = [] }) => {
    const { calls, blueprint } = await made({ Made: { Type: type, Properties: properties }, Shown: shows("Made", ...attributes) });
    const { parameters, ...rest } = blueprint;
    const { policies, ...lists } = rest;
    const all = Object.entries({ ...lists, ...policies });
    const facts = Object.fromEntries(all.filter(([, each]) => (Array.isArray(each) ? each.length : each.size) > 0));
    expect({ calls, facts, shown: parameters.get("/shown/Made") }).toMatchSnapshot();
  });

  it.each(Object.entries(cases))(
    "the local cloud does not start if a service refuses any call for %s",
    async (_what, { type, properties = {} }) => {
      const resource = { X: { Type: type, Properties: properties } };
      const commands = [...new Set((await made(resource)).calls.map(([command]) => command))];
      for (const refused of commands) {
        const respond: typeof usual = (command, input) =>
          command === refused ? new Error(`${refused} was refused`) : usual(command, input);
        await expect(made(resource, respond), refused).rejects.toThrow(`${refused} was refused`);
      }
    },
  );

  it("a parameter is written under its name or its place in the template, over an older value", async () => {
    const { all } = await made({
      One: { Type: "AWS::SSM::Parameter", Properties: { Name: "/one", Type: "StringList", Value: "a,b", Description: "two" } },
      Two: { Type: "AWS::SSM::Parameter", Properties: { Type: "String", Value: "c" } },
      Shown: shows("One", "Type", "Value"),
    });
    expect(all).toEqual([
      ["PutParameter", { Name: "/one", Type: "StringList", Value: "a,b", Description: "two", Overwrite: true }],
      ["PutParameter", { Name: "Stack-Two", Type: "String", Value: "c", Description: undefined, Overwrite: true }],
      ["PutParameter", { Name: "/shown/One", Type: "String", Value: "/one StringList a,b", Description: undefined, Overwrite: true }],
    ]);
  });
});

describe("properties that have no effect here", () => {
  const x = "x";
  const toFunction = { Arn: "arn:aws:lambda:us-east-1:0:function:f", RoleArn: "r" };
  const mapping = { EventSourceArn: "arn:aws:sqs:us-east-1:0:q", FunctionName: "f" };
  const lambda = { Code: { S3Bucket: "assets", S3Key: "f.zip" }, Handler: "index.handler", Runtime: "nodejs24.x", Role: "r" };
  const all: readonly (readonly [type: string, needed: object, ignored: object])[] = [
    ["AWS::Lambda::Function", lambda, { Architectures: [x], Description: x, LoggingConfig: {}, RecursiveLoop: x, TracingConfig: {} }],
    ["AWS::Lambda::Permission", { Action: "lambda:InvokeFunction", FunctionName: "f", Principal: "p" }, { SourceAccount: "0" }],
    ["AWS::Lambda::Url", { AuthType: "AWS_IAM", TargetFunctionArn: "f" }, { InvokeMode: "BUFFERED" }],
    ["AWS::Lambda::EventSourceMapping", mapping, { Enabled: true }],
    ["AWS::Events::EventBus", { Name: "b" }, { Description: x }],
    ["AWS::Events::Rule", { EventPattern: {} }, { Description: x }],
    ["AWS::KMS::Key", { KeyPolicy: trust }, { EnableKeyRotation: true, PendingWindowInDays: 7 }],
    [
      "AWS::Scheduler::Schedule",
      { ScheduleExpression: "rate(1 minute)", FlexibleTimeWindow: { Mode: "OFF" }, Target: toFunction },
      { Description: x, ScheduleExpressionTimezone: "UTC", Target: { ...toFunction, RetryPolicy: {} } },
    ],
    [
      "AWS::DynamoDB::Table",
      { BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [], KeySchema: [] },
      { DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: {}, SSESpecification: {} },
    ],
    ["AWS::S3::Bucket", {}, { LifecycleConfiguration: {}, OwnershipControls: {}, PublicAccessBlockConfiguration: {} }],
    ["AWS::IAM::Role", { AssumeRolePolicyDocument: trust }, { Description: x, MaxSessionDuration: 3_600 }],
    ["AWS::EC2::VPC", { CidrBlock: x }, { EnableDnsHostnames: true, EnableDnsSupport: true, InstanceTenancy: "default" }],
    ["AWS::EC2::Subnet", { AvailabilityZone: "a", CidrBlock: x, VpcId: "v" }, { MapPublicIpOnLaunch: true }],
    ["AWS::EC2::LaunchTemplate", { LaunchTemplateData: {} }, { TagSpecifications: [] }],
    [
      "AWS::CloudWatch::Alarm",
      {
        ...{ Namespace: "n", MetricName: "m", Statistic: "Sum", Period: 60, EvaluationPeriods: 1, Threshold: 1 },
        ComparisonOperator: "GreaterThanThreshold",
      },
      { AlarmActions: ["arn:aws:sns:us-east-1:0:people"], OKActions: ["arn:aws:sns:us-east-1:0:people"] },
    ],
  ];

  it.each(all)("%s is created as without them", async (Type, needed, ignored) => {
    const [without, ...others] = await Promise.all([
      made({ X: { Type, Properties: needed } }),
      made({ X: { Type, Properties: { ...needed, ...ignored } } }),
      made({ X: { Type, Properties: { ...needed, Tags: [] } } }),
    ]);
    for (const { calls, blueprint } of others) expect([calls, blueprint]).toEqual([without.calls, without.blueprint]);
  });
});

describe("properties that AWS knows and no stack needs yet", () => {
  it("all attributes of a queue are passed on as texts", async () => {
    const given = {
      ...{
        ContentBasedDeduplication: true,
        DeduplicationScope: "queue",
        DelaySeconds: 1,
        FifoQueue: true,
        FifoThroughputLimit: "perQueue",
      },
      ...{ MaximumMessageSize: 1_024, MessageRetentionPeriod: 60, ReceiveMessageWaitTimeSeconds: 2, SqsManagedSseEnabled: false },
      VisibilityTimeout: 30,
    };
    const { calls } = await made({ Q: { Type: "AWS::SQS::Queue", Properties: { QueueName: "q.fifo", ...given } } });
    const Attributes = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
    expect(calls).toEqual([["CreateQueue", { QueueName: "q.fifo", Attributes }]]);
  });

  it("the indexes of a table are passed on", async () => {
    const Projection = { ProjectionType: "INCLUDE", NonKeyAttributes: ["a"] };
    const KeySchema = [{ AttributeName: "pk", KeyType: "HASH" }];
    const GlobalSecondaryIndexes = [{ IndexName: "i", KeySchema, Projection }];
    const Properties = { BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [], KeySchema, GlobalSecondaryIndexes };
    const { calls } = await made({ T: { Type: "AWS::DynamoDB::Table", Properties } });
    expect(calls).toEqual([["CreateTable", { TableName: "Stack-T", ...Properties }]]);
  });

  it("what a rule passes to its target instead of the event is passed on", async () => {
    const Arn = "arn:aws:sqs:us-east-1:0:q";
    const Targets = [
      { Id: "a", Arn, InputPath: "$.detail" },
      { Id: "b", Arn, InputTransformer: { InputPathsMap: { a: "$.a" }, InputTemplate: "<a>" } },
    ];
    const { calls } = await made({ R: { Type: "AWS::Events::Rule", Properties: { EventPattern: {}, Targets } } });
    expect(calls.at(-1)).toEqual(["PutTargets", { Rule: "Stack-R", EventBusName: undefined, Targets }]);
  });

  it.each([
    [{ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 }, 0, 60_000],
    [{ MaximumRetryAttempts: "2", MaximumEventAgeInSeconds: "21600" }, 2, 21_600_000],
    [{}, 2, 21_600_000],
  ])("a function's asynchronous calls are retried as %j says", async (given, retries, maxAgeMs) => {
    const config = (more: object) => ({
      C: { Type: "AWS::Lambda::EventInvokeConfig", Properties: { FunctionName: "f", Qualifier: "$LATEST", ...more } },
    });
    expect((await made(config(given))).blueprint.asynchronous).toMatchObject([{ retries, maxAgeMs }]);
    for (const bad of [{ MaximumEventAgeInSeconds: 59 }, { MaximumEventAgeInSeconds: 21_601 }, { MaximumRetryAttempts: -1 }])
      await expect(made(config(bad))).rejects.toThrow(Object.keys(bad)[0] ?? "");
  });
});

describe("the image of a launch template", () => {
  const template = { Type: "AWS::EC2::LaunchTemplate", Properties: { LaunchTemplateData: { ImageId: "resolve:ssm:/image" } } };
  const imageFrom = async (parameter: Response, images: Response) => {
    const { calls } = await made({ T: template }, (command, input) =>
      command === "GetParameter" ? parameter : command === "DescribeImages" ? images : usual(command, input),
    );
    return calls.flatMap(([, input]) => ("LaunchTemplateData" in input ? [(input.LaunchTemplateData as { ImageId: string }).ImageId] : []));
  };
  const unknown = new ParameterNotFound({ message: "no", $metadata: {} });
  const images = { Images: [{ ImageId: "ami-2" }, {}, { ImageId: "ami-1" }] };

  it("the image is the one that a public parameter names, or the first public image", async () => {
    expect(await imageFrom({ Parameter: { Value: "ami-9" } }, images)).toEqual(["ami-9"]);
    expect(await imageFrom({ Parameter: { Value: "snap-9" } }, images)).toEqual(["ami-1"]);
    expect(await imageFrom(unknown, images)).toEqual(["ami-1"]);
  });

  it("the local cloud does not start if the parameter cannot be read, or if there is no image", async () => {
    await expect(imageFrom(new Error("connection reset"), images)).rejects.toThrow("connection reset");
    await expect(imageFrom(unknown, { Images: [] })).rejects.toThrow("no public image");
  });

  it("an image that is given by its id is used as it is", async () => {
    const { calls } = await made({ T: { ...template, Properties: { LaunchTemplateData: { ImageId: "ami-5" } } } });
    expect(calls).toEqual([
      ["CreateLaunchTemplate", { LaunchTemplateName: "Stack-T", LaunchTemplateData: { ImageId: "ami-5", TagSpecifications: [] } }],
    ]);
  });
});

describe("a target of a rule", () => {
  const ruleTo = (Arn: string) => ({ R: { Type: "AWS::Events::Rule", Properties: { EventPattern: {}, Targets: [{ Id: "t", Arn }] } } });

  it("the local cloud does not start with a target that it does not support, or that the emulator refuses", async () => {
    await expect(made(ruleTo("arn:aws:sns:us-east-1:0:people"))).rejects.toThrow(
      "The rule Stack-R has a target that the local cloud does not support",
    );
    const refusing: typeof usual = (command, input) => (command === "PutTargets" ? { FailedEntryCount: 1 } : usual(command, input));
    await expect(made(ruleTo("arn:aws:sqs:us-east-1:0:q"), refusing)).rejects.toThrow("The emulator refused the targets of R");
  });

  it("a schedule's target must be a function", async () => {
    const Target = { Arn: "arn:aws:sqs:us-east-1:0:q", RoleArn: "r" };
    const Properties = { ScheduleExpression: "rate(1 minute)", FlexibleTimeWindow: { Mode: "OFF" }, Target };
    await expect(made({ S: { Type: "AWS::Scheduler::Schedule", Properties } })).rejects.toThrow("The schedule S has a target");
  });
});

describe("a resource without a name of its own", () => {
  const id = `Very${"Long".repeat(20)}Id`;
  const longest: readonly (readonly [type: string, properties: object, most: number])[] = [
    ["AWS::Events::Rule", { EventPattern: {} }, 64],
    ["AWS::IAM::Role", { AssumeRolePolicyDocument: trust }, 64],
    ["AWS::S3::Bucket", {}, 63],
    ["AWS::SQS::Queue", {}, 80],
    ["AWS::SQS::Queue", { FifoQueue: true }, 80],
    [
      "AWS::Lambda::Function",
      { Code: { S3Bucket: "assets", S3Key: "a.zip" }, Handler: "a.b", Runtime: "nodejs24.x", Role: arn("iam", "role/r") },
      64,
    ],
  ];

  it.each(longest)("%s %j has a name of at most %i characters, however long its id is", async (Type, Properties, most) => {
    const { blueprint } = await made({ [id]: { Type, Properties }, Shown: shows(id) });
    // A queue is referred to by its URL, which ends with its name.
    const name = blueprint.parameters.get(`/shown/${id}`)?.split("/").at(-1) ?? "";
    expect(name.toLowerCase().startsWith("stack-verylong")).toBe(true);
    expect(name.length).toBeLessThanOrEqual(most);
  });
});
