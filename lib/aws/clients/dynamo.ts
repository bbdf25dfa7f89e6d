import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type ClientSettings, common } from "./settings.ts";

export const dynamoClient = (settings: ClientSettings = {}): DynamoDBClient =>
  new DynamoDBClient(common(settings, { requestMs: 3_000, maxAttempts: 4 }));
