import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { type Given, meets } from "./expressions.ts";
import { itemBytes, type PlainItem } from "./item-bytes.ts";
import { Items } from "./items.ts";
import { pageOf, type Query } from "./pages.ts";
import { type Index, noUnits, plusUnits, readUnits, type Units, writeUnits } from "./units.ts";
import { updated } from "./updates.ts";

/** A call that was carried out, or refused because a condition did not hold. */
export type MadeCall = { readonly command: string; readonly units: Units };

export type MemoryDynamoOptions = {
  readonly indexes: readonly Index[];
  /** When the table was created, ms since the epoch. */
  readonly createdAtMs: number;
  /** Called once per call, when it has been carried out. The response is given when the promise resolves. */
  readonly made?: ((call: MadeCall) => Promise<void> | void) | undefined;
};

/** DynamoDB's limit of an item, with its attribute names. */
const maxItemBytes = 400 * 1024;

type Write = { readonly before: PlainItem | undefined; readonly after: PlainItem | undefined; readonly holds: boolean };
type Key = { readonly pk: string; readonly sk: string };
type Output = Readonly<Record<string, unknown>>;
type Carried = { readonly units: Units; readonly output: Output } | { readonly units: Units; readonly error: Error };

/**
 * A DynamoDB table in memory, for the document client's commands that `lib/aws/table` sends. It keeps items, checks conditions, and counts
 * the units that each call consumes, by DynamoDB's rules. Every call is atomic. It never throttles, and expires nothing.
 */
export class MemoryDynamo {
  readonly items: Items;
  readonly #options: MemoryDynamoOptions;

  constructor(options: MemoryDynamoOptions) {
    this.#options = options;
    this.items = new Items(options.indexes);
  }

  /** Returns what `lib/aws/table` needs to use this table. `made` is called for the calls of this client, instead of the table's own. */
  client(made = this.#options.made): Pick<DynamoDBDocumentClient, "send"> {
    const send = async (command: object): Promise<Output> => {
      const carried = this.#carryOut(command);
      await made?.({ command: command.constructor.name.replace(/Command$/, ""), units: carried.units });
      if ("error" in carried) throw carried.error;
      return { $metadata: { attempts: 1 }, ...carried.output };
    };
    // The client's type has one signature per command of the SDK; these are those that the adapters send.
    return { send: send as DynamoDBDocumentClient["send"] };
  }

  #carryOut(command: object): Carried {
    if (command instanceof GetCommand) return this.#get(command.input);
    if (command instanceof BatchGetCommand) return this.#getAll(command.input);
    if (command instanceof QueryCommand) return this.#query(command.input);
    if (command instanceof PutCommand) return this.#put(command.input);
    if (command instanceof UpdateCommand) return this.#update(command.input);
    if (command instanceof DeleteCommand) return this.#delete(command.input);
    if (command instanceof TransactWriteCommand) return this.#transact(command.input);
    if (command instanceof DescribeTableCommand)
      return { units: noUnits, output: { Table: { CreationDateTime: new Date(this.#options.createdAtMs) } } };
    throw new Error(`the table in memory does not know ${command.constructor.name}`);
  }

  #get({ Key: key, ConsistentRead = false }: GetCommand["input"]): Carried {
    const Item = this.items.get(keyOf(key));
    return {
      units: { read: readUnits(Item ? itemBytes(Item) : 0, ConsistentRead), write: 0 },
      output: { ...(Item && { Item: { ...Item } }) },
    };
  }

  #getAll({ RequestItems = {} }: BatchGetCommand["input"]): Carried {
    let units = noUnits;
    const responses = Object.entries(RequestItems).map(([table, { Keys = [], ConsistentRead = false }]) => {
      const found = Keys.map((key) => this.items.get(keyOf(key)));
      for (const item of found) units = plusUnits(units, { read: readUnits(item ? itemBytes(item) : 0, ConsistentRead), write: 0 });
      return [table, found.flatMap((item) => (item ? [{ ...item }] : []))];
    });
    return { units, output: { Responses: Object.fromEntries(responses), UnprocessedKeys: {} } };
  }

  #query(input: QueryCommand["input"]): Carried {
    const { page, bytes, last } = pageOf(this.items, input as Query);
    const units = { read: readUnits(bytes, input.ConsistentRead ?? false), write: 0 };
    const items = input.Select === "COUNT" ? {} : { Items: page };
    return { units, output: { ...items, Count: page.length, ...(last && { LastEvaluatedKey: last }) } };
  }

  #put({ Item = {}, ConditionExpression, ...given }: PutCommand["input"]): Carried {
    return this.#writeOne(
      keyOf(Item),
      this.#written(keyOf(Item), ConditionExpression, given, () => ({ ...Item })),
      {},
    );
  }

  #update({ Key: key, UpdateExpression, ConditionExpression, ReturnValues, ...given }: UpdateCommand["input"]): Carried {
    const to = keyOf(key);
    const write = this.#written(to, ConditionExpression, given, (item) => updated(item ?? to, UpdateExpression, given));
    const shown = ReturnValues === "ALL_OLD" ? write.before : write.after;
    return this.#writeOne(to, write, shown ? { Attributes: { ...shown } } : {});
  }

  #delete({ Key: key, ConditionExpression, ...given }: DeleteCommand["input"]): Carried {
    return this.#writeOne(
      keyOf(key),
      this.#written(keyOf(key), ConditionExpression, given, () => undefined),
      {},
    );
  }

  #writeOne(key: Key, write: Write, output: Output): Carried {
    const units = this.#unitsOf([write], false);
    if (!write.holds) return { units, error: refusal("ConditionalCheckFailedException", "The conditional request failed") };
    const wrong = tooLarge([write]);
    if (wrong) return { units, error: wrong };
    this.items.put(key, write.after);
    return { units, output };
  }

  #transact({ TransactItems = [] }: TransactWriteCommand["input"]): Carried {
    const parts = TransactItems.map((part) => this.#part(part));
    const writes = parts.map(({ write }) => write);
    const units = this.#unitsOf(writes, true);
    if (writes.some(({ holds }) => !holds)) {
      const reasons = writes.map(({ holds }) => ({ Code: holds ? "None" : "ConditionalCheckFailed" }));
      const error = refusal(
        "TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons",
      );
      return { units, error: Object.assign(error, { CancellationReasons: reasons }) };
    }
    const wrong = tooLarge(writes);
    if (wrong) return { units, error: wrong };
    for (const { key, write } of parts) this.items.put(key, write.after);
    return { units, output: {} };
  }

  #part({ Put, Update, Delete, ConditionCheck }: NonNullable<TransactWriteCommand["input"]["TransactItems"]>[number]) {
    const part = (
      key: Key,
      condition: string | undefined,
      given: Given,
      change: (item: PlainItem | undefined) => PlainItem | undefined,
    ) => ({
      key,
      write: this.#written(key, condition, given, change),
    });
    if (Put) return part(keyOf(Put.Item), Put.ConditionExpression, Put, () => ({ ...Put.Item }));
    if (Delete) return part(keyOf(Delete.Key), Delete.ConditionExpression, Delete, () => undefined);
    if (Update) {
      const key = keyOf(Update.Key);
      return part(key, Update.ConditionExpression, Update, (item) => updated(item ?? key, Update.UpdateExpression, Update));
    }
    if (!ConditionCheck) throw new Error("a part of a transaction is empty");
    return part(keyOf(ConditionCheck.Key), ConditionCheck.ConditionExpression, ConditionCheck, (item) => item);
  }

  /** What is not carried out changes nothing, and is paid for all the same. */
  #written(key: Key, condition: string | undefined, given: Given, change: (item: PlainItem | undefined) => PlainItem | undefined): Write {
    const before = this.items.get(key);
    const holds = meets(before ?? {}, condition, given);
    return { before, after: holds ? change(before) : before, holds };
  }

  #unitsOf(writes: readonly Write[], inTransaction: boolean): Units {
    const { indexes } = this.#options;
    return { read: 0, write: writes.reduce((sum, { before, after }) => sum + writeUnits(before, after, { indexes, inTransaction }), 0) };
  }
}

function keyOf(of: Readonly<Record<string, unknown>> | undefined): Key {
  const { pk, sk } = of ?? {};
  if (typeof pk !== "string" || typeof sk !== "string") throw new Error("a call has no key");
  return { pk, sk };
}

function tooLarge(writes: readonly Write[]): Error | undefined {
  const isTooLarge = writes.some(({ after }) => after !== undefined && itemBytes(after) > maxItemBytes);
  return isTooLarge ? refusal("ValidationException", "Item size has exceeded the maximum allowed size") : undefined;
}

const refusal = (name: string, message: string): Error => Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
