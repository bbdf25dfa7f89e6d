import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { SSMClient } from "@aws-sdk/client-ssm";
import { StoredDeployment } from "../../../events/deployment.ts";
import type { Deployment } from "../../model/deployment.ts";
import { Fault } from "../../model/fault.ts";
import type { Alarm } from "../metrics/alarm.ts";
import type { Statement } from "../requests/policy.ts";

export const region = "us-east-1";
export const account = "000000000000";
export const zones: readonly string[] = ["a", "b", "c", "d", "e", "f"].map((letter) => `${region}${letter}`);

export type Clients = {
  readonly dynamodb: DynamoDBClient;
  readonly ec2: EC2Client;
  readonly events: EventBridgeClient;
  readonly kms: KMSClient;
  readonly logs: CloudWatchLogsClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly ssm: SSMClient;
};

/** Where resources are made, and what is learned on the way of those that live in this process. */
export type World = {
  readonly clients: Clients;
  readonly stack: string;
  /** What every AWS call goes to. */
  readonly endpoint: string;
  /** The folder that a bundle was synthesized to; undefined for an object that is none of the stack's assets. */
  bundle(bucket: string, key: string): string | undefined;
  readonly blueprint: Blueprint;
};

/** What runs in this process: functions, and everything that calls them. */
export type Blueprint = {
  readonly alarms: Alarm[];
  readonly queues: QueueFact[];
  readonly functions: FunctionFact[];
  readonly functionUrls: FunctionUrlFact[];
  readonly permissions: PermissionFact[];
  readonly eventSources: EventSourceFact[];
  readonly ruleTargets: RuleTargetFact[];
  readonly schedules: ScheduleFact[];
  readonly asynchronous: AsynchronousFact[];
  readonly grants: GrantFact[];
  readonly instanceProfiles: InstanceProfileFact[];
  readonly parameters: Map<string, string>;
};

export const emptyBlueprint = (): Blueprint => ({
  alarms: [],
  queues: [],
  functions: [],
  functionUrls: [],
  permissions: [],
  eventSources: [],
  ruleTargets: [],
  schedules: [],
  asynchronous: [],
  grants: [],
  instanceProfiles: [],
  parameters: new Map(),
});

export type QueueFact = { readonly name: string; readonly url: string };

export type FunctionFact = {
  readonly name: string;
  readonly arn: string;
  /** Where its bundle lies. */
  readonly folder: string;
  /** `file.export` */
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMiB: number;
  readonly variables: Readonly<Record<string, string>>;
  /** Name of its role. */
  readonly role: string;
  /** Where events rest that it failed on, when it was called with events and not by a queue. */
  readonly deadLetterArn?: string | undefined;
  readonly maximumConcurrency?: number | undefined;
};

export type FunctionUrlFact = { readonly functionArn: string };
/** A service that may call a function, for one source. */
export type PermissionFact = { readonly functionArn: string; readonly principal: string; readonly sourceArn?: string | undefined };

export type EventSourceFact = {
  readonly queueArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowMs: number;
  /** Whether the function says which messages of a batch failed. */
  readonly partialFailures: boolean;
  readonly maximumConcurrency?: number | undefined;
};

/** A rule's Lambda target: the rule sends to the relay queue, which is read for the function. */
export type RuleTargetFact = {
  readonly ruleArn: string;
  readonly functionArn: string;
  readonly relayUrl: string;
  readonly relayArn: string;
};

/** What becomes of an event that a function was called with, not asked by a queue, and failed on. */
export type AsynchronousFact = {
  readonly functionName: string;
  readonly retries: number;
  readonly maxAgeMs: number;
  readonly onFailureArn?: string | undefined;
};

export type ScheduleFact = {
  readonly name: string;
  readonly expression: string;
  readonly functionArn: string;
  readonly role: string;
  /** JSON */
  readonly input: string;
};

/** Statements that belong to a role. */
export type GrantFact = { readonly role: string; readonly statements: readonly Statement[] };
export type InstanceProfileFact = { readonly name: string; readonly arn: string; readonly role: string };

export const arn = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`;
/** The last part of an ARN, or of a name. */
export const nameOf = (arnOrName: string): string => arnOrName.split(/[:/]/).at(-1) ?? arnOrName;

/** What the stack says of itself, in the parameter by which the `fleet` command finds it. */
export function deploymentOf(blueprint: Blueprint): Deployment {
  const [, text] = [...blueprint.parameters].find(([name]) => /^\/fleetwright\/[^/]+\/deployment$/.test(name)) ?? [];
  if (text === undefined) throw new Fault("template", "The stack has no parameter /fleetwright/NAME/deployment");
  return StoredDeployment.parse(JSON.parse(text));
}
