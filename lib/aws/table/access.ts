import { setTimeout as pause } from "node:timers/promises";
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { awsCodeKind, awsErrorCode, awsErrorKind, cancellationCodes, isDefinite } from "../errors.ts";
import { type Change, type Condition, defined, expression, isBetween } from "./expression.ts";
import type { Key } from "./keys.ts";

/** The name of the table, and a client for it. */
export type TableAccess = { readonly client: Pick<DynamoDBDocumentClient, "send">; readonly table: string };

export type Item = Record<string, unknown>;

/** Thrown if conditions did not hold, with the indexes of their parts in the transaction (0 for a single write). Nothing was written. */
export class ConditionsFailed extends Error {
  readonly at: readonly number[];
  constructor(at: readonly number[], cause: unknown) {
    super(`conditions failed at ${at.join(", ")}`, { cause });
    this.name = "ConditionsFailed";
    this.at = at;
  }
}

const timeoutMs = 5_000;
const maxTries = 10;
const firstPauseMs = 10;
const longestPauseMs = 500;

/**
 * Calls DynamoDB with a timeout. If the call is throttled or conflicts with another write, it is repeated after a pause with
 * full jitter. Throws `ConditionsFailed`, or a FleetError whose `retry` says whether the call may succeed later. After a FleetError with
 * `retry`, the write may have happened.
 */
export async function call<T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>, most = maxTries): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send({ abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble instanceof Error) throw trouble;
      if (tries === most) {
        throw new FleetError("table-busy", `the table was too busy for ${tries} tries: ${awsErrorCode(error)}`, {
          retry: true,
          cause: error,
        });
      }
      await pause(Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** tries));
    }
  }
}

/** Returns the error for the caller, or `busy` if nothing was written and the same call may succeed. */
function troubleOf(error: unknown): "busy" | Error {
  const kind = awsErrorKind(error);
  if (kind === "throttled" || kind === "conflict") return "busy";
  if (kind === "condition") {
    const failed = cancellationCodes(error).flatMap((code, at) => (awsCodeKind(code) === "condition" ? [at] : []));
    // The error of a single write contains no list of reasons.
    return new ConditionsFailed(failed.length > 0 ? failed : [0], error);
  }
  return new FleetError("table", `the table could not be reached or refused the call: ${awsErrorCode(error)}: ${inWords(error)}`, {
    retry: !isDefinite(error),
    cause: error,
  });
}

/** Returns an item, or undefined if there is none. The read is strongly consistent; if `behind`, it costs half and may be outdated. */
export async function getItem({ client, table }: TableAccess, key: Key, read: { behind?: boolean } = {}): Promise<Item | undefined> {
  const { Item } = await call((options) =>
    client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: !read.behind }), options),
  );
  return Item;
}

/** DynamoDB's limit of items per read. */
export const maxKeys = 100;

/**
 * Returns the existing items under at most a hundred keys, strongly consistent and in no order. Items that do not fit into a
 * response or were throttled are read by the next call.
 */
export async function getItems({ client, table }: TableAccess, keys: readonly Key[]): Promise<readonly Item[]> {
  if (keys.length > maxKeys) throw new FleetError("table", `${keys.length} items were requested at once, but only ${maxKeys} are allowed`);
  const items: Item[] = [];
  let left: Record<string, unknown>[] = [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, key])).values()];
  for (let tries = 1; left.length > 0; tries += 1) {
    const { Responses = {}, UnprocessedKeys = {} } = await call((options) =>
      client.send(new BatchGetCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } }), options),
    );
    const found = Responses[table] ?? [];
    items.push(...found);
    left = UnprocessedKeys[table]?.Keys ?? [];
    if (found.length > 0) tries = 1;
    if (left.length > 0 && tries >= maxTries)
      throw new FleetError("table-busy", "the table was too busy to read all items", { retry: true });
    if (left.length > 0 && found.length === 0) await pause(Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** tries));
  }
  return items;
}

type Query = Omit<QueryCommandInput, "TableName">;

/** Reads one page of a query. */
export const queryPage = ({ client, table }: TableAccess, query: Query): Promise<QueryCommandOutput> =>
  call((options) => client.send(new QueryCommand({ TableName: table, ...query }), options));

/** Reads all pages of a query, one after the other. */
export async function* queryPages(access: TableAccess, query: Query): AsyncGenerator<QueryCommandOutput> {
  let from: Item | undefined;
  do {
    const page = await queryPage(access, { ...query, ...(from ? { ExclusiveStartKey: from } : {}) });
    yield page;
    from = page.LastEvaluatedKey;
  } while (from);
}

async function allItems(access: TableAccess, query: Query): Promise<Item[]> {
  const items: Item[] = [];
  for await (const { Items = [] } of queryPages(access, query)) items.push(...Items);
  return items;
}

/** Returns all items of a partition, strongly consistent, in the order of their sort keys. */
export const getPartition = (access: TableAccess, pk: string): Promise<Item[]> =>
  allItems(access, { ConsistentRead: true, ...expression({ keyIs: { pk } }) });

/** Returns the items of a partition whose sort keys are in the range, both ends included. Consistent unless `behind`. */
export const getRange = (
  access: TableAccess,
  pk: string,
  [from, to]: readonly [string, string],
  read: { behind?: boolean } = {},
): Promise<Item[]> =>
  allItems(access, { ConsistentRead: !read.behind, ...expression({ keyIs: { pk }, within: [isBetween("sk", from, to)] }) });

/** Writes an item without a condition, replacing an existing one. */
export async function putItem({ client, table }: TableAccess, item: Key & Item): Promise<void> {
  await call((options) => client.send(new PutCommand({ TableName: table, Item: defined(item) }), options));
}

/**
 * Changes an item, or creates it if it does not exist, and returns it as written or as it was before. Throws `ConditionsFailed`.
 * `repeated` says that the update was sent more than once, so an earlier one may have been written, too.
 */
export async function updateItem(
  { client, table }: TableAccess,
  key: Key,
  { returns = "as written", ...to }: { changes: readonly Change[]; when?: readonly Condition[]; returns?: "as written" | "as it was" },
): Promise<{ readonly item: Item; readonly repeated: boolean }> {
  let sent = 0;
  const { Attributes, $metadata } = await call((options) => {
    sent += 1;
    const ReturnValues = returns === "as written" ? "ALL_NEW" : "ALL_OLD";
    return client.send(new UpdateCommand({ TableName: table, Key: key, ReturnValues, ...expression(to) }), options);
  });
  return { item: Attributes ?? {}, repeated: sent > 1 || ($metadata.attempts ?? 1) > 1 };
}

/** Does the same, but returns undefined if the conditions do not hold. */
export async function tryUpdate(...update: Parameters<typeof updateItem>): Promise<Item | undefined> {
  try {
    return (await updateItem(...update)).item;
  } catch (error) {
    if (error instanceof ConditionsFailed) return undefined;
    throw error;
  }
}
