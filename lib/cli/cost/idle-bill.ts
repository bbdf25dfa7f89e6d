import type { Resource } from "../../local/template/template.ts";
import { prices } from "./prices.ts";

/** One item of the bill of a month. `eachUsd`: the price of one; `usd`: of all. */
export type BillItem = { readonly what: string; readonly count: number; readonly eachUsd: number; readonly usd: number };

/** `unpriced`: the types of resources whose price is not known here, so that the sum may be too low. */
export type Bill = { readonly items: readonly BillItem[]; readonly usd: number; readonly unpriced: readonly string[] };

/** A month has 730 hours in AWS's price examples. */
const minutes = 730 * 60;

/** Lambda keeps five connections to a queue open, and each asks it every 20 s: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html. */
const pollsPerMonth = minutes * 60 * (5 / 20);
/** How long a tick without work runs, s: a few small reads, one after the other. */
const tickSeconds = 0.2;
/** What a tick reads of a table in which nothing waits, in reads of 4 KB: in all, and for each pool, whose prices are one compressed item. */
const tickReads = { always: 4, perPool: 10 } as const;

/** A tick looks once at the dead-letter queue of each team's jobs queue. */
const isLookedAt = ({ Properties }: Resource): boolean => /-dead-jobs-/.test(String(Properties["QueueName"]));

/** What costs nothing by itself: it is paid by what it stores or how often it is used, and while a deployment is idle that is next to nothing. */
const free = new Set([
  "AWS::CDK::Metadata",
  "AWS::DynamoDB::Table",
  "AWS::EC2::FlowLog",
  "AWS::EC2::InternetGateway",
  "AWS::EC2::LaunchTemplate",
  "AWS::EC2::Route",
  "AWS::EC2::RouteTable",
  "AWS::EC2::SecurityGroup",
  "AWS::EC2::SecurityGroupEgress",
  "AWS::EC2::SecurityGroupIngress",
  "AWS::EC2::Subnet",
  "AWS::EC2::SubnetRouteTableAssociation",
  "AWS::EC2::VPC",
  "AWS::EC2::VPCGatewayAttachment",
  "AWS::Events::Rule",
  "AWS::IAM::InstanceProfile",
  "AWS::IAM::Policy",
  "AWS::IAM::Role",
  "AWS::KMS::Alias",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::Function",
  "AWS::Lambda::Permission",
  "AWS::Lambda::Url",
  "AWS::Logs::LogGroup",
  "AWS::S3::Bucket",
  "AWS::S3::BucketPolicy",
  "AWS::SQS::Queue",
  "AWS::SQS::QueuePolicy",
  "AWS::SSM::Parameter",
  "Custom::FleetwrightInstances",
]);

/** Returns what a deployment costs in a month without work, from the resources of its template. */
export function idleBill(resources: Readonly<Record<string, Resource>>): Bill {
  const all = Object.values(resources);
  const of = (type: string): readonly Resource[] => all.filter(({ Type }) => Type === type);
  const polled = of("AWS::Lambda::EventSourceMapping").map((mapping) => isFifo(mapping, resources));
  const fifo = polled.filter(Boolean).length;
  const ticks = of("AWS::Scheduler::Schedule").length;
  // Each pool has one.
  const pools = of("AWS::EC2::LaunchTemplate").length;
  const memoryGiB = tickMemoryGiB(of("AWS::Lambda::Function"));
  const items = [
    item(
      "alarms, by metric",
      of("AWS::CloudWatch::Alarm").reduce((sum, alarm) => sum + metricsOf(alarm), 0),
      prices.alarm,
    ),
    item("dashboards", of("AWS::CloudWatch::Dashboard").length, prices.dashboard),
    item("keys of teams", of("AWS::KMS::Key").length, prices.key),
    item("queues that Lambda asks for messages", polled.length - fifo, pollsPerMonth * prices.sqs),
    item("FIFO queues that Lambda asks for messages", fifo, pollsPerMonth * prices.sqsFifo),
    item("ticks", ticks * minutes, prices.schedule + prices.lambda + memoryGiB * tickSeconds * prices.lambdaTime),
    item("looks of ticks at teams' dead letters", ticks * minutes * of("AWS::SQS::Queue").filter(isLookedAt).length, prices.sqs),
    item("reads of ticks", ticks * minutes * (tickReads.always + pools * tickReads.perPool), prices.read),
  ].filter(({ count }) => count > 0);
  return { items, usd: items.reduce((sum, { usd }) => sum + usd, 0), unpriced: unpriced(all) };
}

const item = (what: string, count: number, eachUsd: number): BillItem => ({ what, count, eachUsd, usd: count * eachUsd });

const priced = new Set([
  "AWS::CloudWatch::Alarm",
  "AWS::CloudWatch::Dashboard",
  "AWS::KMS::Key",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Scheduler::Schedule",
]);

const unpriced = (all: readonly Resource[]): readonly string[] => {
  const isFreeEndpoint = ({ Type, Properties }: Resource): boolean =>
    Type === "AWS::EC2::VPCEndpoint" && Properties["VpcEndpointType"] === "Gateway";
  const others = all.filter((resource) => !priced.has(resource.Type) && !free.has(resource.Type) && !isFreeEndpoint(resource));
  return [...new Set(others.map(({ Type }) => Type))].sort();
};

/** Returns how many metrics an alarm watches. One with an expression watches each metric of it. */
function metricsOf({ Properties }: Resource): number {
  const metrics = Properties["Metrics"];
  if (!Array.isArray(metrics)) return 1;
  return metrics.filter((metric: unknown) => typeof metric === "object" && metric !== null && "MetricStat" in metric).length;
}

function isFifo({ Properties }: Resource, resources: Readonly<Record<string, Resource>>): boolean {
  const source = JSON.stringify(Properties["EventSourceArn"] ?? "");
  const queue = Object.entries(resources).find(([id, { Type }]) => Type === "AWS::SQS::Queue" && source.includes(`"${id}"`));
  return queue?.[1].Properties["FifoQueue"] === true;
}

function tickMemoryGiB(functions: readonly Resource[]): number {
  const tick = functions.find(({ Properties }) => /-tick$/.test(String(Properties["FunctionName"])));
  return Number(tick?.Properties["MemorySize"] ?? 0) / 1024;
}
