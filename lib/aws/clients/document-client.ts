import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type ClientSettings, common } from "./settings.ts";

const dynamoClient = (settings: ClientSettings = {}): DynamoDBClient =>
  new DynamoDBClient(common(settings, { requestMs: 3_000, maxAttempts: 4 }));

/** DynamoDB in plain values; what a table's ports are made over. Apart from the other clients, for it cannot be shaken off a bundle. */
export const documentClient = (settings: ClientSettings = {}): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(dynamoClient(settings));
