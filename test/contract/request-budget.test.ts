import { randomUUID } from "node:crypto";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { describe, expect, inject, it } from "vitest";
import { dynamoClient } from "../../lib/aws/clients/dynamo.ts";
import { putItem, type TableAccess } from "../../lib/aws/table/access.ts";
import { requestsKey } from "../../lib/aws/table/keys.ts";
import { createRequestBudget } from "../../lib/aws/table/request-budget.ts";
import { MemoryRequestBudget } from "../../lib/sim/memory/request-budget.ts";
import { monday } from "../fakes/builders.ts";
import { narrow, requestBudgetContract } from "./suites/request-budget.ts";
import { wire } from "./wire.ts";

async function newTable(): Promise<TableAccess> {
  const client = dynamoClient(wire(inject("ministackUrl")));
  const table = `requests-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  return { client: DynamoDBDocumentClient.from(client), table };
}

requestBudgetContract("in memory", async () => {
  const budget = new MemoryRequestBudget(narrow);
  return [budget, budget];
});

requestBudgetContract("in DynamoDB", async () => {
  const access = await newTable();
  return [createRequestBudget(access, narrow), createRequestBudget(access, narrow)];
});

describe("what only the table has", () => {
  it("reads a bucket as an earlier release left it, and names the item that is broken", async () => {
    const access = await newTable();
    const budget = createRequestBudget(access, narrow);
    const ask = { kind: "launch", lane: "end", instances: 1, nowMs: monday } as const;
    await putItem(access, { ...requestsKey("launch"), version: 7, requests: 1, instances: 0, atMs: monday });
    expect(await budget.take(ask)).toEqual({ kind: "granted" });
    expect(await budget.take(ask)).toMatchObject({ kind: "later" });
    await putItem(access, { ...requestsKey("launch"), version: 7, requests: "many" });
    await expect(budget.take(ask)).rejects.toMatchObject({ code: "broken-item", message: expect.stringContaining("REQUESTS#launch") });
  });
});
