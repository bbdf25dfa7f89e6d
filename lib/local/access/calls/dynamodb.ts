import * as z from "zod";
import type { AccessRequest } from "../policy/verdict.ts";
import { bodyOf, type Describe, onAll, operationOf, type ResourceFacts } from "./facts.ts";

const OnTable = z.looseObject({ TableName: z.string(), IndexName: z.string().optional() });
const OnTables = z.looseObject({ RequestItems: z.record(z.string(), z.unknown()) });
const part = z.looseObject({ TableName: z.string() }).optional();
const Transaction = z.looseObject({
  TransactItems: z.array(z.looseObject({ Put: part, Update: part, Delete: part, ConditionCheck: part, Get: part })),
});

/** The action of each part of a transaction. A transaction has no action of its own. */
const partActions = {
  Put: "PutItem",
  Update: "UpdateItem",
  Delete: "DeleteItem",
  ConditionCheck: "ConditionCheckItem",
  Get: "GetItem",
} as const;

/** Operations whose tables are named by their items. */
const ofTables: ReadonlySet<string> = new Set(["BatchGetItem", "BatchWriteItem"]);

/**
 * Returns what a call to DynamoDB asks for: the action on the table, or on the index that it queries. What is not understood needs the action on
 * everything.
 */
export const onDynamoDb: Describe = (call, facts) => {
  const operation = operationOf(call);
  const all = onAll(`dynamodb:${operation}`);
  if (operation === "TransactWriteItems" || operation === "TransactGetItems") {
    const items = bodyOf(call, Transaction)?.TransactItems;
    return items ? parts(items, facts) : all;
  }
  if (ofTables.has(operation)) {
    const tables = bodyOf(call, OnTables)?.RequestItems;
    return tables ? Object.keys(tables).map((table) => request(operation, arnOf(table, facts))) : all;
  }
  const one = bodyOf(call, OnTable);
  if (!one) return all;
  const index = one.IndexName === undefined ? "" : `/index/${one.IndexName}`;
  return [request(operation, `${arnOf(one.TableName, facts)}${index}`)];
};

function parts(items: z.output<typeof Transaction>["TransactItems"], facts: ResourceFacts): readonly AccessRequest[] {
  const asked = new Map<string, AccessRequest>();
  for (const item of items)
    for (const [kind, action] of Object.entries(partActions)) {
      const table = item[kind as keyof typeof partActions]?.TableName;
      if (table !== undefined) asked.set(`${action} ${table}`, request(action, arnOf(table, facts)));
    }
  return [...asked.values()];
}

const request = (operation: string, resource: string): AccessRequest => ({ action: `dynamodb:${operation}`, resource, context: {} });

const arnOf = (table: string, { account, region }: ResourceFacts): string =>
  table.startsWith("arn:") ? table : `arn:aws:dynamodb:${region}:${account}:table/${table}`;
