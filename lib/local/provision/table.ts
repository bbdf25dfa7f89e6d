import { CreateTableCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { kind } from "./kind.ts";
import { arn } from "./world.ts";

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
