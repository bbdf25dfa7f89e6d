import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamoClient } from "../../aws/clients.ts";
import type { TableAccess } from "../../aws/table/access.ts";

/** The table, for a function that names it in its environment. */
export const tableOf = (env: { readonly TABLE: string }): TableAccess => ({
  client: DynamoDBDocumentClient.from(dynamoClient()),
  table: env.TABLE,
});
