import { GetCommand, PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "vitest";
import { itemBytes } from "../../../lib/local/dynamo/item-bytes.ts";
import { type MadeCall, MemoryDynamo } from "../../../lib/local/dynamo/memory-dynamo.ts";
import { readUnits, writeUnits } from "../../../lib/local/dynamo/units.ts";

const index = { name: "byTeam", keys: ["teamDay", "submitted"], holds: ["state"] } as const;
const TableName = "t";

/** Returns an item of so many bytes in all. */
const sized = (bytes: number, of: Record<string, unknown> = {}) => {
  const item = { pk: "p", sk: "s", ...of, text: "" };
  return { ...item, text: "x".repeat(bytes - itemBytes(item)) };
};

test.each([
  ["names and strings in UTF-8", { pk: "é", a: "bc" }, 2 + 2 + 1 + 2],
  ["a number takes a byte per two digits and one more", { n: 12_345_678 }, 1 + 1 + 4],
  ["zeros at the end of a number take no space", { n: 1_780_272_000_000 }, 1 + 1 + 4],
  ["pairs of digits are counted from the decimal point", { n: 123 }, 1 + 1 + 2],
  ["zero takes one byte", { n: 0 }, 1 + 1],
  ["a minus sign takes a byte", { n: -12 }, 1 + 1 + 1 + 1],
  ["a fraction", { n: 0.526 }, 1 + 1 + 2],
  ["booleans and null take a byte each", { a: true, b: null }, 2 + 2],
  ["a list takes three bytes, and one per member", { l: ["ab", 1] }, 1 + 3 + (1 + 2) + (1 + 2)],
  ["a map takes three bytes, and one per entry", { m: { a: "b" } }, 1 + 3 + 1 + 1 + 1],
  ["a set takes what its members take", { s: new Set(["ab", "c"]) }, 1 + 3],
  ["bytes take themselves", { b: new Uint8Array(7) }, 1 + 7],
  ["what is undefined is not there", { a: undefined }, 0],
])("the size of an item: %s", (_, item, bytes) => {
  expect(itemBytes(item)).toBe(bytes);
});

test.each([
  [0, true, 1],
  [4096, true, 1],
  [4097, true, 2],
  [4097, false, 1],
  [1, false, 0.5],
])("a read of %i bytes (consistent: %s) takes %f units", (bytes, consistent, units) => {
  expect(readUnits(bytes, consistent)).toBe(units);
});

describe("writes", () => {
  const outside = { indexes: [], inTransaction: false };

  test("a write takes a unit per started KB of the larger one of what was there and what is there now", () => {
    expect(writeUnits(undefined, sized(1024), outside)).toBe(1);
    expect(writeUnits(undefined, sized(1025), outside)).toBe(2);
    expect(writeUnits(sized(3000), sized(100), outside)).toBe(3);
    expect(writeUnits(sized(3000), undefined, outside)).toBe(3);
    expect(writeUnits(undefined, undefined, outside)).toBe(1);
  });

  test("a write in a transaction takes twice as many", () => {
    expect(writeUnits(undefined, sized(1025), { ...outside, inTransaction: true })).toBe(4);
  });

  test("an index takes units only for what changes in it, and not twice in a transaction", () => {
    const within = { indexes: [index], inTransaction: true };
    const item = { pk: "p", sk: "s", teamDay: "t", submitted: "1", state: "queued", other: 1 };
    expect(writeUnits(undefined, item, within)).toBe(2 + 1);
    expect(writeUnits(item, { ...item, other: 2 }, within)).toBe(2);
    expect(writeUnits(item, { ...item, state: "placed" }, within)).toBe(2 + 1);
    expect(writeUnits(item, { ...item, submitted: "2" }, within)).toBe(2 + 2);
    expect(writeUnits(item, { ...item, teamDay: undefined }, within)).toBe(2 + 1);
    expect(writeUnits({ pk: "p", sk: "s" }, { pk: "p", sk: "s", n: 1 }, within)).toBe(2);
  });
});

describe("the table in memory", () => {
  const stage = () => {
    const made: MadeCall[] = [];
    const { send } = new MemoryDynamo({ indexes: [], createdAtMs: 0, made: (call) => void made.push(call) }).client();
    return { send, units: () => made.splice(0).map(({ command, units }) => [command, units.read, units.write]) };
  };
  const when = (ConditionExpression: string) => ({
    ConditionExpression,
    ExpressionAttributeNames: { "#0": "pk" },
  });

  test("a write whose condition does not hold changes nothing, and takes units", async () => {
    const { send, units } = stage();
    await send(new PutCommand({ TableName, Item: sized(3000) }));
    await expect(send(new PutCommand({ TableName, Item: sized(10), ...when("attribute_not_exists(#0)") }))).rejects.toMatchObject({
      name: "ConditionalCheckFailedException",
    });
    const { Item } = await send(new GetCommand({ TableName, Key: { pk: "p", sk: "s" } }));
    expect(Item).toEqual(sized(3000));
    expect(units()).toEqual([
      ["Put", 0, 3],
      ["Put", 0, 3],
      ["Get", 0.5, 0],
    ]);
  });

  test("a cancelled transaction names the parts that failed, writes none, and takes the units of all", async () => {
    const { send, units } = stage();
    const put = (sk: string) => ({ Put: { TableName, Item: { pk: "p", sk } } });
    const check = { ConditionCheck: { TableName, Key: { pk: "p", sk: "none" }, ...when("attribute_exists(#0)") } };
    await expect(send(new TransactWriteCommand({ TransactItems: [put("a"), check, put("b")] }))).rejects.toMatchObject({
      CancellationReasons: [{ Code: "None" }, { Code: "ConditionalCheckFailed" }, { Code: "None" }],
    });
    expect(await send(new GetCommand({ TableName, Key: { pk: "p", sk: "a" } }))).not.toHaveProperty("Item");
    expect(units()[0]).toEqual(["TransactWrite", 0, 6]);
  });

  test("a query takes the units of all that it reads together, and not of each item", async () => {
    const { send, units } = stage();
    for (const sk of ["a", "b", "c"]) await send(new PutCommand({ TableName, Item: { ...sized(1200), sk } }));
    units();
    const query = {
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: "#0 = :0",
      ExpressionAttributeNames: { "#0": "pk" },
      ExpressionAttributeValues: { ":0": "p" },
    };
    expect((await send(new QueryCommand(query))).Items?.map(({ sk }) => sk)).toEqual(["a", "b", "c"]);
    const { Items, LastEvaluatedKey } = await send(new QueryCommand({ ...query, Limit: 2 }));
    expect(Items).toHaveLength(2);
    const next = await send(new QueryCommand({ ...query, ExclusiveStartKey: LastEvaluatedKey }));
    expect(next.Items?.map(({ sk }) => sk)).toEqual(["c"]);
    expect(units().map(([, read]) => read)).toEqual([1, 1, 1]);
  });

  test("an expression that it does not know is an error, and not a guess", async () => {
    const { send } = stage();
    const update = { TableName, Key: { pk: "p", sk: "s" }, ExpressionAttributeNames: { "#0": "pk" } };
    await expect(send(new PutCommand({ TableName, Item: sized(10), ...when("contains(#0, #0)") }))).rejects.toThrow("condition");
    await expect(send(new UpdateCommand({ ...update, UpdateExpression: "DELETE #0 :0" }))).rejects.toThrow("clause DELETE");
  });
});
