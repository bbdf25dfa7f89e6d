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
import { FleetError } from "../../model/fleet-error.ts";
import { emptyPolicyFacts, type PolicyFacts } from "../access/policies.ts";
import type { Alarm } from "../metrics/alarm.ts";

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

/** Where resources are created, and the facts that are collected for those that live in this process. */
export type ProvisionContext = {
  readonly clients: Clients;
  readonly stack: string;
  /** The address of every AWS API. */
  readonly endpoint: string;
  /** Returns the folder of a synthesized bundle, or undefined if the object is not one of the stack's assets. */
  bundle(bucket: string, key: string): string | undefined;
  readonly blueprint: Blueprint;
};

/** The facts about everything that runs in this process: functions, and everything that calls them. */
export type Blueprint = {
  readonly alarms: Alarm[];
  readonly queues: QueueFact[];
  readonly functions: FunctionFact[];
  readonly functionUrls: FunctionUrlFact[];
  readonly permissions: PermissionFact[];
  readonly eventSources: EventSourceFact[];
  readonly ruleTargets: RuleTargetFact[];
  readonly queueTargets: RuleQueueFact[];
  readonly deadLetters: RuleQueueFact[];
  readonly encryptedLogs: EncryptedLogsFact[];
  readonly accessLogs: AccessLogsFact[];
  readonly schedules: ScheduleFact[];
  readonly asynchronous: AsynchronousFact[];
  readonly policies: PolicyFacts;
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
  queueTargets: [],
  deadLetters: [],
  encryptedLogs: [],
  accessLogs: [],
  schedules: [],
  asynchronous: [],
  policies: emptyPolicyFacts(),
  instanceProfiles: [],
  parameters: new Map(),
});

export type QueueFact = { readonly name: string; readonly url: string };

export type FunctionFact = {
  readonly name: string;
  readonly arn: string;
  /** The folder of its bundle. */
  readonly folder: string;
  /** `file.export` */
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMiB: number;
  readonly variables: Readonly<Record<string, string>>;
  /** The name of its role. */
  readonly role: string;
  readonly logGroupArn: string;
  /** The dead-letter queue of its asynchronous calls. */
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
  /** Whether the function reports which messages of a batch failed. */
  readonly partialFailures: boolean;
  readonly maximumConcurrency?: number | undefined;
};

/** A rule's Lambda target. The rule sends to the relay queue, and the local cloud reads that queue for the function. */
export type RuleTargetFact = {
  readonly ruleArn: string;
  readonly functionArn: string;
  readonly relayUrl: string;
  readonly relayArn: string;
};

/** A rule's queue, as its target or for what could not be delivered. */
export type RuleQueueFact = { readonly ruleArn: string; readonly queueArn: string };
/** A log group that CloudWatch Logs encrypts with a customer's key. */
export type EncryptedLogsFact = { readonly groupArn: string; readonly keyArn: string };
/** A bucket whose access logs S3 writes below a prefix of another bucket. */
export type AccessLogsFact = { readonly bucketArn: string; readonly prefixArn: string };

/** How failed asynchronous calls of a function are retried, and where their events go in the end. */
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
  readonly deadLetterArn?: string | undefined;
  /** JSON */
  readonly input: string;
};

export type InstanceProfileFact = { readonly name: string; readonly arn: string; readonly role: string };

export const arn = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`;
/** Returns the last part of an ARN or of a name. */
export const nameOf = (arnOrName: string): string => arnOrName.split(/[:/]/).at(-1) ?? arnOrName;

/** Returns the stack's description of itself, from the parameter by which the `fleet` command finds it. */
export function deploymentOf(blueprint: Blueprint): Deployment {
  const [, text] = [...blueprint.parameters].find(([name]) => /^\/fleetwright\/[^/]+\/deployment$/.test(name)) ?? [];
  if (text === undefined) throw new FleetError("template", "The stack has no parameter /fleetwright/NAME/deployment");
  return StoredDeployment.parse(JSON.parse(text));
}
