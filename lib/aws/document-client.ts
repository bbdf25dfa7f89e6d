import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamoClient } from "./clients/dynamo.ts";
import type { ClientSettings } from "./clients/settings.ts";

/** DynamoDB in plain values; what a table's ports are made over. Apart from the other clients, for it cannot be shaken off a bundle. */
export const documentClient = (settings: ClientSettings = {}): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(dynamoClient(settings));
