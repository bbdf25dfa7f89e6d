/** Tests the wires of the local cloud with real emulators, a small template and functions of its own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { DeleteObjectCommand, DeleteObjectsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import * as z from "zod";
import { type CloudWatch, startCloudWatch } from "../../lib/local/cloudwatch/cloudwatch.ts";
import { publishServiceEvent } from "../../lib/local/emulators/ministack.ts";
import { createEndpoint } from "../../lib/local/endpoint.ts";
import { createFunctions, type FunctionLine, type Functions } from "../../lib/local/lambda/functions.ts";
import { startWires, type Wires } from "../../lib/local/lambda/wires.ts";
import { checkWiring } from "../../lib/local/lambda/wiring.ts";
import { createClients } from "../../lib/local/provision/clients.ts";
import { provision } from "../../lib/local/provision/stack.ts";
import { emptyBlueprint, region } from "../../lib/local/provision/world.ts";
import { administrator, createIdentities } from "../../lib/local/requests/identities.ts";
import { Template } from "../../lib/local/template/template.ts";
import { guardOf } from "../fakes/guards.ts";
import { unique } from "./wire.ts";

const name = unique("wires");
const soon = { timeout: 20_000, interval: 50 };

const bundle = `
import { EventBridgeClient, PutEventsCommand } from ${JSON.stringify(import.meta.resolve("@aws-sdk/client-eventbridge"))};
export const listen = async (event) => { console.log(JSON.stringify({ received: event })); };
export const fail = async (event) => { throw new Error("as asked"); };
export const tell = async ({ busy, source }) => {
  if (busy !== undefined) console.log(JSON.stringify({
    _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: "Wires", Dimensions: [["of"]], Metrics: [{ Name: "busy", Unit: "Percent" }] }] },
    of: ${JSON.stringify(name)}, busy,
  }));
  if (source !== undefined) {
    const events = new EventBridgeClient({});
    const put = await events.send(new PutEventsCommand({ Entries: [{ EventBusName: ${JSON.stringify(name)}, Source: source, DetailType: "Said", Detail: "{}" }] }));
    if (put.FailedEntryCount) throw new Error("not put");
  }
};`;

const att = (id: string, attribute = "Arn") => ({ "Fn::GetAtt": [id, attribute] });
const lambda = (handler: string) => ({
  Type: "AWS::Lambda::Function",
  Properties: {
    FunctionName: `${name}-${handler}`,
    Code: { S3Bucket: "assets", S3Key: "code" },
    Handler: `index.${handler}`,
    Runtime: "nodejs24.x",
    Role: att("Role"),
    Timeout: 20,
  },
});
const rule = (to: string, pattern: object, bus?: object) => ({
  Type: "AWS::Events::Rule",
  Properties: { EventPattern: pattern, ...(bus && { EventBusName: bus }), Targets: [{ Arn: att(to), Id: "Target0" }] },
});
const permission = (of: string) => ({
  Type: "AWS::Lambda::Permission",
  Properties: { Action: "lambda:InvokeFunction", FunctionName: att(of), Principal: "events.amazonaws.com" },
});
const alarm = (more: object) => ({
  Type: "AWS::CloudWatch::Alarm",
  Properties: {
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    EvaluationPeriods: 1,
    Period: 60,
    Statistic: "Maximum",
    TreatMissingData: "notBreaching",
    ...more,
  },
});
const template = Template.parse({
  Resources: {
    Role: {
      Type: "AWS::IAM::Role",
      Properties: {
        RoleName: name,
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } },
        },
        Policies: [
          {
            PolicyName: "all",
            PolicyDocument: {
              Version: "2012-10-17",
              Statement: [{ Effect: "Allow", Action: ["sqs:*", "events:*", "logs:*"], Resource: "*" }],
            },
          },
        ],
      },
    },
    Listen: lambda("listen"),
    Tell: lambda("tell"),
    Fail: lambda("fail"),
    MayListen: permission("Listen"),
    MayFail: permission("Fail"),
    Failed: { Type: "AWS::SQS::Queue", Properties: { QueueName: `${name}-failed` } },
    Deep: { Type: "AWS::SQS::Queue", Properties: { QueueName: `${name}-deep` } },
    Config: {
      Type: "AWS::Lambda::EventInvokeConfig",
      Properties: {
        FunctionName: { Ref: "Fail" },
        Qualifier: "$LATEST",
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: att("Failed") } },
      },
    },
    Bus: { Type: "AWS::Events::EventBus", Properties: { Name: name } },
    Said: rule("Listen", { source: ["wires.said"] }, { Ref: "Bus" }),
    ToFail: rule("Fail", { source: ["wires.fail"] }, { Ref: "Bus" }),
    Alarmed: rule("Listen", {
      source: ["aws.cloudwatch"],
      "detail-type": ["CloudWatch Alarm State Change"],
      detail: { alarmName: [{ prefix: `${name}/` }], state: { value: ["ALARM"] } },
    }),
    Bucket: {
      Type: "AWS::S3::Bucket",
      Properties: { BucketName: name, NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } } },
    },
    Deleted: rule("Listen", { source: ["aws.s3"], "detail-type": ["Object Deleted"], detail: { bucket: { name: [{ Ref: "Bucket" }] } } }),
    DepthAlarm: alarm({
      AlarmName: `${name}/depth`,
      Namespace: "AWS/SQS",
      MetricName: "ApproximateNumberOfMessagesVisible",
      Dimensions: [{ Name: "QueueName", Value: att("Deep", "QueueName") }],
      Threshold: 2,
    }),
    BusyAlarm: alarm({
      AlarmName: `${name}/busy`,
      Namespace: "Wires",
      MetricName: "busy",
      Dimensions: [{ Name: "of", Value: name }],
      Threshold: 90,
    }),
    PutAlarm: alarm({ AlarmName: `${name}/put`, Namespace: "Wires", MetricName: name, Threshold: 1 }),
    ErrorsAlarm: alarm({
      AlarmName: `${name}/errors`,
      Namespace: "AWS/Lambda",
      MetricName: "Errors",
      Dimensions: [{ Name: "FunctionName", Value: { Ref: "Fail" } }],
      Statistic: "Sum",
      Threshold: 1,
    }),
  },
});

const Received = z.looseObject({ source: z.string(), "detail-type": z.string(), detail: z.looseObject({}) });
const received: z.infer<typeof Received>[] = [];
const closing: (() => Promise<unknown>)[] = [];
let clients: ReturnType<typeof createClients>;
let functions: Functions;
let wires: Wires;
let cloudwatch: CloudWatch;
let endpointUrl = "";

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "wires-"));
  closing.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "index.mjs"), bundle);
  const log = () => undefined;
  const endpoint = await createEndpoint({ log, logFile: "cloud.log" });
  closing.push(() => endpoint.close());
  endpointUrl = endpoint.url;
  const unused = { status: 501, headers: {}, body: "" };
  const blueprint = emptyBlueprint();
  const identities = createIdentities();
  const guard = guardOf({}, { policies: blueprint.policies, identities });
  endpoint.open({
    ministackUrl: inject("ministackUrl"),
    motoUrl: inject("motoUrl"),
    ec2: async () => unused,
    pricing: async () => unused,
    functionUrl: async () => unused,
    guard,
    sessions: () => undefined,
    api: async () => unused,
    controls: () => unused,
    monitoring: (call) => cloudwatch.noteCall(call),
  });
  clients = createClients(endpoint.url, identities.issue(administrator));
  closing.push(async () => clients.destroy());
  await provision(template, { clients, stack: name, endpoint: endpoint.url, bundle: () => folder, blueprint });
  checkWiring(blueprint, guard);
  cloudwatch = startCloudWatch({
    alarms: blueprint.alarms,
    queues: blueprint.queues,
    sqs: clients.sqs,
    // For alarms, a minute takes half a second.
    behaviour: { periodMs: 200, periodScale: 120 },
    putEvent: (event) => publishServiceEvent(inject("ministackUrl"), event),
    log,
  });
  closing.push(() => cloudwatch.close());
  const onLine = (line: FunctionLine): void => {
    cloudwatch.noteLine(line);
    const { data } = z.looseObject({ printed: z.looseObject({ received: Received }) }).safeParse(line);
    if (data) received.push(data.printed.received);
  };
  functions = createFunctions({ facts: blueprint.functions, identities, endpoint: endpoint.url, log: onLine });
  closing.push(() => functions.close());
  wires = await startWires({ blueprint, functions, sqs: clients.sqs, log });
  closing.push(() => wires.close());
});
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const alarmed = (what: string) => received.filter((event) => event.detail["alarmName"] === `${name}/${what}`);
const stateOf = (what: string) => cloudwatch.alarms.list().find((each) => each.name === `${name}/${what}`)?.state;
const queueUrl = async (queue: string) => (await clients.sqs.send(new GetQueueUrlCommand({ QueueName: `${name}-${queue}` }))).QueueUrl;

describe("alarms of the local cloud", () => {
  it("an alarm reaches its function once when a queue is deep, and is OK again when it is not", async () => {
    await vi.waitFor(() => expect(stateOf("depth")).toBe("OK"), soon);
    const QueueUrl = await queueUrl("deep");
    for (const MessageBody of ["a", "b"]) await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    await vi.waitFor(() => expect(alarmed("depth")).toHaveLength(1), soon);
    expect(alarmed("depth")).toMatchObject([
      {
        resources: [expect.stringMatching(new RegExp(`^arn:aws:cloudwatch:us-east-1:\\d{12}:alarm:${name}/depth$`))],
        region,
        detail: {
          state: { value: "ALARM", reason: expect.stringContaining("Threshold Crossed"), reasonData: expect.any(String) },
          previousState: { value: "OK" },
        },
      },
    ]);
    await clients.sqs.send(new PurgeQueueCommand({ QueueUrl }));
    await vi.waitFor(() => expect(stateOf("depth")).toBe("OK"), soon);
    expect(alarmed("depth")).toHaveLength(1);
  });

  it("an alarm reaches its function when a function prints a metric or fails", async () => {
    await functions.invoke(`${name}-tell`, { busy: 10 });
    await functions.invoke(`${name}-tell`, { busy: 95 });
    await vi.waitFor(() => expect(alarmed("busy")).toHaveLength(1), soon);
    await functions.invoke(`${name}-fail`, {});
    await vi.waitFor(() => expect(alarmed("errors")).toHaveLength(1), soon);
  });

  it("an alarm reaches its function when a client puts a metric, which moto receives too", async () => {
    const form = (fields: object) => ({
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        authorization: "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=none",
      },
      body: new URLSearchParams({ Version: "2010-08-01", ...fields }),
    });
    const put = await fetch(
      endpointUrl,
      form({
        Action: "PutMetricData",
        Namespace: "Wires",
        "MetricData.member.1.MetricName": name,
        "MetricData.member.1.Value": "1",
      }),
    );
    expect(put.status).toBe(200);
    await vi.waitFor(() => expect(alarmed("put")).toHaveLength(1), soon);
    const listed = await (await fetch(endpointUrl, form({ Action: "ListMetrics", Namespace: "Wires" }))).text();
    expect(listed).toContain(`<MetricName>${name}</MetricName>`);
  });
});

describe("events of the local cloud", () => {
  it("an event of a function arrives over the stack's own bus, and none over the default bus", async () => {
    await functions.invoke(`${name}-tell`, { source: "wires.said" });
    await vi.waitFor(() => expect(received.filter((event) => event.source === "wires.said")).toHaveLength(1), soon);
    await clients.events.send(new PutEventsCommand({ Entries: [{ Source: "wires.said", DetailType: "Astray", Detail: "{}" }] }));
    await functions.invoke(`${name}-tell`, { source: "wires.said" });
    await vi.waitFor(() => expect(received.filter((event) => event.source === "wires.said")).toHaveLength(2), soon);
    expect(received.filter((event) => event["detail-type"] === "Astray")).toEqual([]);
  });

  it("an event arrives for each deleted object, whether they are deleted one by one or at once", async () => {
    for (const Key of ["one", "two", "three"]) await clients.s3.send(new PutObjectCommand({ Bucket: name, Key, Body: "x" }));
    await clients.s3.send(new DeleteObjectCommand({ Bucket: name, Key: "one" }));
    await clients.s3.send(new DeleteObjectsCommand({ Bucket: name, Delete: { Objects: [{ Key: "two" }, { Key: "three" }] } }));
    const deleted = () =>
      received.filter((event) => event["detail-type"] === "Object Deleted").map(({ source, detail }) => ({ source, detail }));
    await vi.waitFor(() => expect(deleted()).toHaveLength(3), soon);
    expect(deleted()).toEqual(
      expect.arrayContaining(
        ["one", "two", "three"].map((key) => ({
          source: "aws.s3",
          detail: expect.objectContaining({
            bucket: { name },
            object: expect.objectContaining({ key }),
            reason: "DeleteObject",
            "deletion-type": "Permanently Deleted",
          }),
        })),
      ),
    );
  });

  it("an event during a pause waits, and arrives once after it", async () => {
    const held = () => received.filter((event) => event["detail-type"] === "Held");
    wires.pause();
    wires.pause();
    // The emulator may go on with a long poll that has ended, for at most 20 s. A message that it takes meanwhile is hidden for long.
    await sleep(20_500);
    await clients.events.send(
      new PutEventsCommand({ Entries: [{ EventBusName: name, Source: "wires.said", DetailType: "Held", Detail: "{}" }] }),
    );
    await sleep(1_500);
    expect(held()).toEqual([]);
    wires.resume();
    wires.resume();
    await vi.waitFor(() => expect(held()).toHaveLength(1), soon);
    await sleep(300);
    expect(held()).toHaveLength(1);
  }, 60_000);

  it("an event that its function fails on goes to the function's destination after the configured number of tries", async () => {
    await functions.invoke(`${name}-tell`, { source: "wires.fail" });
    const QueueUrl = await queueUrl("failed");
    const { Messages = [] } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 15 }));
    expect(Messages.map((message) => JSON.parse(message.Body ?? ""))).toMatchObject([
      {
        requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 1 },
        requestPayload: { source: "wires.fail" },
        responsePayload: { errorMessage: "as asked" },
      },
    ]);
  });
});
