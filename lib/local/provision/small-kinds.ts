/** Kinds of resources that need at most two calls to an emulator. */

import { CreateLogGroupCommand, PutRetentionPolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { CreateEventBusCommand } from "@aws-sdk/client-eventbridge";
import { CreateAliasCommand, CreateKeyCommand } from "@aws-sdk/client-kms";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import { addStatements } from "../access/policies.ts";
import { named, PolicyDocument } from "../access/policy/statement.ts";
import { kind, Tags } from "./kind.ts";
import { arn, nameOf } from "./world.ts";

/**
 * The custom resource whose deletion ends all instances of the deployment. CloudFormation calls its function at its creation, when
 * the function does nothing, and at its deletion. Neither is needed here, because instances end with the local cloud.
 */
export const fleetInstances = kind({
  type: "Custom::FleetwrightInstances",
  properties: z.strictObject({ ServiceToken: z.string().startsWith("arn:aws:lambda:"), Name: z.string().min(1) }),
  create: async ({ Name }) => ({ ref: `instances-of-${Name}`, attributes: {} }),
});

export const eventBus = kind({
  type: "AWS::Events::EventBus",
  properties: z.strictObject({ Name: z.string() }),
  harmless: ["Description"],
  create: async ({ Name }, _place, { clients }) => {
    await clients.events.send(new CreateEventBusCommand({ Name }));
    return { ref: Name, attributes: { Name, Arn: arn("events", `event-bus/${Name}`) } };
  },
});

export const key = kind({
  type: "AWS::KMS::Key",
  properties: z.strictObject({ Description: z.string().optional(), KeyPolicy: PolicyDocument, Tags }),
  // The yearly rotation has no effect in the emulator.
  harmless: ["EnableKeyRotation", "PendingWindowInDays"],
  create: async ({ Description, KeyPolicy, Tags }, place, { clients, blueprint: { policies } }) => {
    const Tagged = Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }));
    const made = await clients.kms.send(new CreateKeyCommand({ Description, Tags: Tagged }));
    const { KeyId: id = "", Arn: keyArn = "" } = made.KeyMetadata ?? {};
    policies.keys.push({ id, arn: keyArn, tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])) });
    addStatements(policies.resource, keyArn, named(place.id, KeyPolicy.Statement));
    return { ref: id, attributes: { Arn: keyArn, KeyId: id } };
  },
});

export const alias = kind({
  type: "AWS::KMS::Alias",
  properties: z.strictObject({ AliasName: z.string(), TargetKeyId: z.string() }),
  create: async (properties, _place, { clients, blueprint }) => {
    await clients.kms.send(new CreateAliasCommand(properties));
    blueprint.policies.aliases.set(properties.AliasName, properties.TargetKeyId.replace(/^.*:key\//, ""));
    return { ref: properties.AliasName, attributes: {} };
  },
});

export const logGroup = kind({
  type: "AWS::Logs::LogGroup",
  properties: z.strictObject({
    LogGroupName: z.string().optional(),
    KmsKeyId: z.string().optional(),
    RetentionInDays: z.number().optional(),
  }),
  create: async ({ LogGroupName, KmsKeyId, RetentionInDays }, place, { clients, blueprint }) => {
    const logGroupName = LogGroupName ?? place.name;
    if (KmsKeyId !== undefined) blueprint.encryptedLogs.push({ groupArn: arn("logs", `log-group:${logGroupName}`), keyArn: KmsKeyId });
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName, kmsKeyId: KmsKeyId }));
    if (RetentionInDays) await clients.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: RetentionInDays }));
    return { ref: logGroupName, attributes: { Arn: `${arn("logs", `log-group:${logGroupName}`)}:*` } };
  },
});

export const parameter = kind({
  type: "AWS::SSM::Parameter",
  properties: z.strictObject({
    Name: z.string().optional(),
    Type: z.enum(["String", "StringList"]),
    Value: z.string(),
    Description: z.string().optional(),
  }),
  create: async ({ Name, Type, Value, Description }, place, { clients, blueprint }) => {
    const name = Name ?? place.name;
    await clients.ssm.send(new PutParameterCommand({ Name: name, Type, Value, Description, Overwrite: true }));
    blueprint.parameters.set(name, Value);
    return { ref: name, attributes: { Type, Value } };
  },
});

/** A schedule runs on a timer of this process. */
export const schedule = kind({
  type: "AWS::Scheduler::Schedule",
  properties: z.strictObject({
    Name: z.string().optional(),
    ScheduleExpression: z.string(),
    FlexibleTimeWindow: z.strictObject({ Mode: z.literal("OFF") }),
    State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
    Target: z.strictObject({
      Arn: z.string(),
      RoleArn: z.string(),
      Input: z.string().default("{}"),
      DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
      RetryPolicy: z.unknown().optional(),
    }),
  }),
  harmless: ["Description", "ScheduleExpressionTimezone"],
  create: async ({ Name, ScheduleExpression, State, Target }, place, { blueprint }) => {
    const name = Name ?? place.name;
    if (Target.Arn.split(":")[2] !== "lambda")
      throw new FleetError("template", `The schedule ${place.id} has a target that the local cloud does not support: ${Target.Arn}`);
    if (State === "ENABLED")
      blueprint.schedules.push({
        name,
        expression: ScheduleExpression,
        functionArn: Target.Arn,
        role: nameOf(Target.RoleArn),
        deadLetterArn: Target.DeadLetterConfig?.Arn,
        input: Target.Input,
      });
    return { ref: name, attributes: { Arn: arn("scheduler", `schedule/default/${name}`) } };
  },
});

const KeySchema = z.array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(["HASH", "RANGE"]) }));
const Projection = z.strictObject({
  ProjectionType: z.enum(["ALL", "INCLUDE", "KEYS_ONLY"]),
  NonKeyAttributes: z.array(z.string()).optional(),
});

export const table = kind({
  type: "AWS::DynamoDB::Table",
  properties: z.strictObject({
    TableName: z.string().optional(),
    AttributeDefinitions: z.array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(["S", "N", "B"]) })),
    BillingMode: z.literal("PAY_PER_REQUEST"),
    KeySchema,
    GlobalSecondaryIndexes: z.array(z.strictObject({ IndexName: z.string(), KeySchema, Projection })).optional(),
    TimeToLiveSpecification: z.strictObject({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
  }),
  harmless: ["DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "SSESpecification"],
  create: async ({ TimeToLiveSpecification, TableName, ...rest }, place, { clients }) => {
    const name = TableName ?? place.name;
    await clients.dynamodb.send(new CreateTableCommand({ TableName: name, ...rest }));
    if (TimeToLiveSpecification) await clients.dynamodb.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }));
    return { ref: name, attributes: { Arn: arn("dynamodb", `table/${name}`) } };
  },
});
