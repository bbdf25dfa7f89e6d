import { randomUUID } from "node:crypto";
import { TransactWriteCommand, type TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { FleetError } from "../../model/fleet-error.ts";
import { ConditionsFailed, call, type Item, type TableAccess } from "./access.ts";
import { type Change, type Condition, defined, expression } from "./expression.ts";
import type { Key } from "./keys.ts";

/** A write of a transaction, or a condition that must hold for it. */
export type Part =
  | { readonly kind: "put"; readonly item: Key & Item; readonly when?: readonly Condition[] }
  | { readonly kind: "update"; readonly key: Key; readonly changes: readonly Change[]; readonly when: readonly Condition[] }
  | { readonly kind: "delete"; readonly key: Key; readonly when?: readonly Condition[] }
  | { readonly kind: "check"; readonly key: Key; readonly when: readonly Condition[] };

/** DynamoDB's limit of parts per transaction. */
export const maxParts = 100;

/** The outcome of a transaction. `failed` holds the indexes of the parts whose conditions do not hold; nothing was written then. */
export type Transacted = "done" | { readonly failed: ReadonlySet<number> };

/**
 * Writes all parts or none. Throws if DynamoDB would refuse them whatever the table contains, which an emulator may not notice. `tries`
 * limits how often it is sent if it conflicts with other writes; undefined for the default.
 */
export async function transact({ client, table }: TableAccess, parts: readonly Part[], tries?: number): Promise<Transacted> {
  if (parts.length > maxParts) throw new FleetError("transaction", `a transaction has ${parts.length} parts, more than ${maxParts}`);
  if (new Set(parts.map(itemOf)).size < parts.length) throw new FleetError("transaction", "a transaction has two parts about one item");
  const TransactItems = parts.map((part) => written(table, part));
  // Each sending has its own token, so that DynamoDB treats the SDK's repeats of it as one transaction.
  try {
    await call((options) => client.send(new TransactWriteCommand({ TransactItems, ClientRequestToken: randomUUID() }), options), tries);
    return "done";
  } catch (error) {
    if (error instanceof ConditionsFailed) return { failed: new Set(error.at) };
    throw error;
  }
}

function itemOf(part: Part): string {
  const { pk, sk } = part.kind === "put" ? part.item : part.key;
  return JSON.stringify([pk, sk]);
}

function written(table: string, part: Part): NonNullable<TransactWriteCommandInput["TransactItems"]>[number] {
  switch (part.kind) {
    case "put":
      return { Put: { TableName: table, Item: defined(part.item), ...expression({ when: part.when ?? [] }) } };
    case "update":
      return { Update: { TableName: table, Key: part.key, UpdateExpression: "", ...expression(part) } };
    case "delete":
      return { Delete: { TableName: table, Key: part.key, ...expression({ when: part.when ?? [] }) } };
    case "check":
      return { ConditionCheck: { TableName: table, Key: part.key, ConditionExpression: "", ...expression({ when: part.when }) } };
  }
}
