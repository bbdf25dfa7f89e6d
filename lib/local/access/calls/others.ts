/** Services of which few calls are made. */
import * as z from "zod";
import { bodyOf, type Describe, onAll, operationOf } from "./facts.ts";

const OnQueue = z.looseObject({ QueueUrl: z.string().optional(), QueueName: z.string().optional() });

/** Returns what a call to SQS asks for. A batch needs the action of its single call. */
export const onSqs: Describe = (call, { account, region }) => {
  const operation = operationOf(call);
  const action = `sqs:${operation.replace(/Batch$/, "")}`;
  const { QueueUrl, QueueName } = bodyOf(call, OnQueue) ?? {};
  const name = byName.has(operation) ? QueueName : queueOf(QueueUrl, account);
  return name === undefined ? onAll(action) : [{ action, resource: `arn:aws:sqs:${region}:${account}:${name}`, context: {} }];
};

/** All other operations name a queue by its URL. */
const byName: ReadonlySet<string> = new Set(["GetQueueUrl", "CreateQueue"]);

/** Returns the name of a queue from a URL of exactly the form that SQS gives out; undefined for any other. */
const queueOf = (url: string | undefined, account: string): string | undefined =>
  new RegExp(`^https?://[^/?#]+/${account}/([\\w-]+(?:\\.fifo)?)$`).exec(url ?? "")?.[1];

const Parameters = z.looseObject({ Name: z.string().optional(), Names: z.array(z.string()).optional() });

/** Parameters that AWS publishes belong to no account. */
export const onSsm: Describe = (call, { account, region }) => {
  const action = `ssm:${operationOf(call)}`;
  const { Name, Names = [] } = bodyOf(call, Parameters) ?? {};
  const single = Name === undefined ? [] : [Name];
  const names = action === "ssm:GetParameters" || action === "ssm:DeleteParameters" ? Names : single;
  if (names.length === 0) return onAll(action);
  return names.map((name) => ({ action, resource: parameterArn(name, { account, region }), context: {} }));
};

export const parameterArn = (name: string, { account, region }: { account: string; region: string }): string =>
  `arn:aws:ssm:${region}:${name.startsWith("/aws/service/") ? "" : account}:parameter/${name.replace(/^\//, "")}`;

const OnGroup = z.looseObject({
  logGroupName: z.string(),
  logStreamName: z.string().optional(),
  logGroupIdentifier: z.undefined().optional(),
  logGroupIdentifiers: z.undefined().optional(),
});
/** The actions on a stream. All others of those that name a group are on the group. */
const onStream: ReadonlySet<string> = new Set(["PutLogEvents", "GetLogEvents", "DeleteLogStream"]);

export const onLogs: Describe = (call, { account, region }) => {
  const operation = operationOf(call);
  const group = bodyOf(call, OnGroup);
  if (!group) return onAll(`logs:${operation}`);
  const stream = onStream.has(operation) ? (group.logStreamName ?? "") : "";
  const resource = `arn:aws:logs:${region}:${account}:log-group:${group.logGroupName}:log-stream:${stream}`;
  return [{ action: `logs:${operation}`, resource, context: {} }];
};

export const onPricing: Describe = (call) => onAll(`pricing:${operationOf(call)}`);

const OnBus = z.looseObject({ Entries: z.array(z.looseObject({ EventBusName: z.string().optional() })) });

export const onEvents: Describe = (call, { account, region }) => {
  const operation = operationOf(call);
  const entries = operation === "PutEvents" ? bodyOf(call, OnBus)?.Entries : undefined;
  if (!entries) return onAll(`events:${operation}`);
  const buses = new Set(entries.map(({ EventBusName = "default" }) => EventBusName.split("/").at(-1) ?? EventBusName));
  return [...buses].map((bus) => ({
    action: "events:PutEvents",
    resource: `arn:aws:events:${region}:${account}:event-bus/${bus}`,
    context: {},
  }));
};

/** CloudWatch's SDK names the operation in the path or in the body, depending on its protocol. */
export const onCloudWatch: Describe = (call) => {
  const inPath = /\/operation\/(\w+)$/.exec(call.path.split("?")[0] ?? "")?.[1];
  const operation = inPath ?? (operationOf(call) || (new URLSearchParams(call.body.toString()).get("Action") ?? ""));
  return onAll(`cloudwatch:${operation}`);
};
