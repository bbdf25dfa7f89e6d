import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type ClientSettings, common } from "./settings.ts";

const dynamoClient = (settings: ClientSettings = {}): DynamoDBClient =>
  new DynamoDBClient(common(settings, { requestMs: 3_000, maxAttempts: 4 }));

/** Creates a DynamoDB client for plain values. It has a file of its own because bundlers cannot remove it where it is unused. */
export const documentClient = (settings: ClientSettings = {}): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(dynamoClient(settings));
