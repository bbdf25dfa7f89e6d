import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { readPagesPlainly } from "./plain-pages.ts";
import { type ClientSettings, common } from "./settings.ts";

function dynamoClient(settings: ClientSettings = {}): DynamoDBClient {
  const client = new DynamoDBClient(common(settings, { requestMs: 3_000, maxAttempts: 4 }));
  // It copies each response for a logger that prints nothing, which takes a twentieth of the time to read a large pool.
  client.middlewareStack.remove("loggerMiddleware");
  readPagesPlainly(client);
  return client;
}

/** Creates a DynamoDB client for plain values. It has a file of its own because bundlers cannot remove it where it is unused. */
export const documentClient = (settings: ClientSettings = {}): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(dynamoClient(settings));
