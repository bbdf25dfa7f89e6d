import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamoClient } from "./dynamo.ts";
import type { ClientSettings } from "./settings.ts";

/** DynamoDB in plain values; what a table's ports are made over. Apart from the other clients, for it cannot be shaken off a bundle. */
export const documentClient = (settings: ClientSettings = {}): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(dynamoClient(settings));
