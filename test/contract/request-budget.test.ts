import { describe, expect, it } from "vitest";
import { putItem } from "../../lib/aws/table/access.ts";
import { requestsKey } from "../../lib/aws/table/keys.ts";
import { createRequestBudget } from "../../lib/aws/table/pools/request-budget.ts";
import { MemoryRequestBudget } from "../../lib/sim/memory/request-budget.ts";
import { monday } from "../fakes/builders.ts";
import { newTable } from "./dynamodb-ledger.ts";
import { narrow, requestBudgetContract } from "./suites/request-budget.ts";

requestBudgetContract("in memory", async () => {
  const budget = new MemoryRequestBudget(narrow);
  return [budget, budget];
});

requestBudgetContract("in DynamoDB", async () => {
  const access = await newTable();
  return [createRequestBudget(access, narrow), createRequestBudget(access, narrow)];
});

describe("what only the request budget in DynamoDB does", () => {
  it("a bucket of an earlier release is read, and the error about a broken item names it", async () => {
    const access = await newTable();
    const budget = createRequestBudget(access, narrow);
    const request = { kind: "launch", priority: "end", instances: 1, nowMs: monday } as const;
    await putItem(access, { ...requestsKey("launch"), version: 7, requests: 1, instances: 0, atMs: monday });
    expect(await budget.acquire(request)).toEqual({ kind: "granted" });
    expect(await budget.acquire(request)).toMatchObject({ kind: "later" });
    await putItem(access, { ...requestsKey("launch"), version: 7, requests: "many" });
    await expect(budget.acquire(request)).rejects.toMatchObject({
      code: "broken-item",
      message: expect.stringContaining("REQUESTS#launch"),
    });
  });
});
