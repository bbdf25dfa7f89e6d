import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { plainItem, readPagesPlainly } from "../../../lib/aws/clients/plain-pages.ts";

/** What the table responds next. */
let next: { readonly status: number; readonly body: object | string } = { status: 200, body: {} };
let server: Server;
let plain: DynamoDBDocumentClient;
let usual: DynamoDBDocumentClient;

beforeAll(async () => {
  server = createServer((request, response) => {
    request
      .resume()
      .on("end", () =>
        response
          .writeHead(next.status, { "content-type": "application/x-amz-json-1.0" })
          .end(typeof next.body === "string" ? next.body : JSON.stringify(next.body)),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = () =>
    new DynamoDBClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "A", secretAccessKey: "S" }, maxAttempts: 1 });
  const ours = client();
  readPagesPlainly(ours);
  [plain, usual] = [DynamoDBDocumentClient.from(ours), DynamoDBDocumentClient.from(client())];
});
afterAll(() => {
  plain.destroy();
  usual.destroy();
  server.close();
});

const page = { Count: 1, ScannedCount: 3, LastEvaluatedKey: { pk: { S: "p" }, sk: { S: "1" } } };
const query = new QueryCommand({ TableName: "t", KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": "p" } });
const itemOf = (value: object) => ({ Items: [{ pk: { S: "p" }, value }], ...page });

describe("a page of a query", () => {
  it.each<[string, object]>([
    ["a text", { S: 'ä \u2028 "' }],
    ["a whole number", { N: "12" }],
    ["a fraction", { N: "-0.25" }],
    ["true", { BOOL: true }],
    ["nothing", { NULL: true }],
    ["bytes", { B: Buffer.from([0, 255, 7]).toString("base64") }],
    ["a list", { L: [{ S: "a" }, { L: [] }, { M: { n: { N: "1" } } }] }],
    ["a set of texts", { SS: ["a", "b"] }],
    ["a set of numbers", { NS: ["1", "2.5"] }],
    ["a set of bytes", { BS: [Buffer.from("x").toString("base64")] }],
  ])("a page is read as the SDK reads it: %s", async (_what, value) => {
    next = { status: 200, body: itemOf(value) };
    const { $metadata: _ours, ...read } = await plain.send(query);
    const { $metadata: _usual, ...expected } = await usual.send(query);
    expect(listed(read)).toEqual(listed(expected));
  });

  it("a name that is that of a prototype is a name like any other", async () => {
    next = { status: 200, body: itemOf({ M: JSON.parse('{"__proto__": {"S": "x"}, "constructor": {"M": {"a": {"S": "y"}}}}') }) };
    const value = (await plain.send(query)).Items?.[0]?.["value"] as object;
    expect(Object.entries(value)).toEqual([
      ["__proto__", "x"],
      ["constructor", { a: "y" }],
    ]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it("a whole number that a double cannot hold is a bigint, which no schema takes for a number", async () => {
    for (const N of ["9007199254740993", "-1e30"]) {
      next = { status: 200, body: itemOf({ N }) };
      expect(typeof (await plain.send(query)).Items?.[0]?.["value"]).toBe("bigint");
    }
  });

  it("a page without items, such as a count, and an empty page are read", async () => {
    next = { status: 200, body: page };
    expect(await plain.send(query)).toMatchObject({ Count: 1, LastEvaluatedKey: { pk: "p", sk: "1" } });
    expect((await plain.send(query)).Items).toBeUndefined();
    next = { status: 200, body: { Items: [], Count: 0 } };
    expect(await plain.send(query)).toMatchObject({ Items: [], Count: 0 });
  });

  it("a value of a type that this release does not know is left out, so that its item counts as unreadable", async () => {
    next = { status: 200, body: itemOf({ VECTOR: [1] }) };
    expect((await plain.send(query)).Items).toEqual([{ pk: "p", value: undefined }]);
  });

  it("an error is the SDK's, with its name, and a page that is cut off fails the call without being quoted", async () => {
    next = { status: 400, body: { __type: "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", message: "no table" } };
    await expect(plain.send(query)).rejects.toMatchObject({ name: "ResourceNotFoundException", message: "no table" });
    next = { status: 200, body: '{"Items": [{"env": {"S": "hunter2' };
    const error = await plain.send(query).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringContaining("a page of a query is not JSON") });
    expect(inspect(error, { depth: 5 })).not.toContain("hunter2");
  });

  it("other calls are read by the SDK", async () => {
    next = { status: 200, body: { Item: marshall({ pk: "p", list: [1, "a", { b: null }] }) } };
    expect((await plain.send(new GetCommand({ TableName: "t", Key: { pk: "p", sk: "s" } }))).Item).toEqual({
      pk: "p",
      list: [1, "a", { b: null }],
    });
  });
});

test("whatever an item holds is read as it was written", () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((each) => each + 0);
  const key = fc.string().filter((each) => each !== "__proto__");
  const value = fc.anything({ key, values: [fc.string(), number, fc.integer(), fc.boolean(), fc.constant(null)], maxDepth: 3 });
  fc.assert(
    fc.property(fc.dictionary(key, value), (item) => {
      expect(plainItem(JSON.parse(JSON.stringify(marshall(item))))).toEqual(item);
    }),
  );
});

/** Returns a value with lists instead of sets and bytes, which have no order or are of another class. */
function listed(value: unknown): unknown {
  if (value instanceof Set || value instanceof Uint8Array) return [...value].map(listed);
  if (Array.isArray(value)) return value.map(listed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, listed(each)]));
}
