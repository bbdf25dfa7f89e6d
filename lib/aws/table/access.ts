import { setTimeout as pause } from "node:timers/promises";
import { BatchGetCommand, type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { inWords } from "../../model/errors/in-words.ts";
import { Fault } from "../../model/fault.ts";
import { awsCodeKind, awsErrorCode, awsErrorKind, cancellationCodes, isDefinite } from "../errors.ts";
import { type Change, type Condition, defined, expression } from "./expression.ts";
import type { Key } from "./keys.ts";

/** The one table, and who may speak to it. */
export type TableAccess = { readonly client: Pick<DynamoDBDocumentClient, "send">; readonly table: string };

export type Item = Record<string, unknown>;

/** Conditions did not hold, at these places of the transaction (0 for a single write); nothing was written. */
export class ConditionsFailed extends Error {
  readonly at: readonly number[];
  constructor(at: readonly number[], cause: unknown) {
    super(`conditions failed at ${at.join(", ")}`, { cause });
    this.name = "ConditionsFailed";
    this.at = at;
  }
}

const timeoutMs = 5_000;
const mostTries = 10;
const firstPauseMs = 10;
const longestPauseMs = 500;

/**
 * Calls DynamoDB: with a time-out, and again, after a pause with full jitter, when it was throttled or met another
 * write on its way. Throws `ConditionsFailed`, or a Fault whose `retry` says whether the call may succeed later;
 * after a Fault that may be retried the write may have happened.
 */
export async function call<T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>, most = mostTries): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send({ abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble instanceof Error) throw trouble;
      if (tries === most) {
        throw new Fault("table-busy", `the table was too busy, ${tries} times: ${awsErrorCode(error)}`, { retry: true, cause: error });
      }
      await pause(Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** tries));
    }
  }
}

/** What an error means for the caller; `busy`: nothing was written, and the same call may do. */
function troubleOf(error: unknown): "busy" | Error {
  const kind = awsErrorKind(error);
  if (kind === "throttled" || kind === "conflict") return "busy";
  if (kind === "condition") {
    const failed = cancellationCodes(error).flatMap((code, at) => (awsCodeKind(code) === "condition" ? [at] : []));
    // A single write has no list of reasons.
    return new ConditionsFailed(failed.length > 0 ? failed : [0], error);
  }
  return new Fault("table", `the table could not be reached or said no: ${awsErrorCode(error)}: ${inWords(error)}`, {
    retry: !isDefinite(error),
    cause: error,
  });
}

/** Reads one item as it is now; `behind`: a copy that may lag will do, at half the price. */
export async function getItem({ client, table }: TableAccess, key: Key, read: { behind?: boolean } = {}): Promise<Item | undefined> {
  const { Item } = await call((options) =>
    client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: !read.behind }), options),
  );
  return Item;
}

/** So many items are read at once. */
const mostKeys = 100;

/**
 * Reads the items under these keys that are there, a hundred at most, as they are now, in no order. What a call has no room for,
 * or was throttled, the next one asks for.
 */
export async function getItems({ client, table }: TableAccess, keys: readonly Key[]): Promise<readonly Item[]> {
  if (keys.length > mostKeys) throw new Fault("table", `${keys.length} items were asked for at once, and ${mostKeys} can be`);
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
    if (left.length > 0 && tries >= mostTries) throw new Fault("table-busy", "the table was too busy to read all", { retry: true });
    if (left.length > 0 && found.length === 0) await pause(Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** tries));
  }
  return items;
}

/** Reads every item of a partition as it is now, however many pages that takes, in the order of their sort keys. */
export async function getPartition({ client, table }: TableAccess, pk: string): Promise<Item[]> {
  const items: Item[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await call((options) =>
      client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          ...expression({ keyIs: { pk } }),
          ...(from ? { ExclusiveStartKey: from } : {}),
        }),
        options,
      ),
    );
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from);
  return items;
}

/** Writes a whole item, whatever was there. */
export async function putItem({ client, table }: TableAccess, item: Key & Item): Promise<void> {
  await call((options) => client.send(new PutCommand({ TableName: table, Item: defined(item) }), options));
}

/**
 * Changes an item (it appears when it was not there) and answers all of it as written, or as it was. Throws `ConditionsFailed`.
 * `repeated`: it was sent more than once, so that an earlier sending may have been written too.
 */
export async function updateItem(
  { client, table }: TableAccess,
  key: Key,
  { answer = "as written", ...to }: { changes: readonly Change[]; when?: readonly Condition[]; answer?: "as written" | "as it was" },
): Promise<{ readonly item: Item; readonly repeated: boolean }> {
  let sent = 0;
  const { Attributes, $metadata } = await call((options) => {
    sent += 1;
    const ReturnValues = answer === "as written" ? "ALL_NEW" : "ALL_OLD";
    return client.send(new UpdateCommand({ TableName: table, Key: key, ReturnValues, ...expression(to) }), options);
  });
  return { item: Attributes ?? {}, repeated: sent > 1 || ($metadata.attempts ?? 1) > 1 };
}

/** The same, but answers undefined when the conditions do not hold. */
export async function tryUpdate(...update: Parameters<typeof updateItem>): Promise<Item | undefined> {
  try {
    return (await updateItem(...update)).item;
  } catch (error) {
    if (error instanceof ConditionsFailed) return undefined;
    throw error;
  }
}
