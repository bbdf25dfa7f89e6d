import { describe, expect, it } from "vitest";
import { putItem } from "../../lib/aws/table/access.ts";
import { requestsKey } from "../../lib/aws/table/keys.ts";
import { createRequestBudget } from "../../lib/aws/table/pools/request-budget.ts";
import { MemoryRequestBudget } from "../../lib/sim/memory/request-budget.ts";
import { monday } from "../fakes/builders.ts";
import { newTable } from "./dynamodb-ledger.ts";
import { narrow, requestBudgetContract } from "./suites/request-budget.ts";

const region = "us-east-1";

requestBudgetContract("in memory", async () => {
  const budget = new MemoryRequestBudget(narrow);
  return [budget, budget];
});

requestBudgetContract("in DynamoDB", async () => {
  const access = await newTable();
  return [createRequestBudget(access, region, narrow), createRequestBudget(access, region, narrow)];
});

describe("what only the request budget in DynamoDB does", () => {
  it("each region has a bucket of its own, and the error about a broken one names it", async () => {
    const access = await newTable();
    const budget = createRequestBudget(access, region, narrow);
    const request = { kind: "launch", priority: "end", instances: 1, nowMs: monday } as const;
    await putItem(access, { ...requestsKey(region, "launch"), version: 7, requests: 1, instances: 0, pace: 1, atMs: monday });
    expect(await budget.acquire(request)).toEqual({ kind: "granted" });
    expect(await budget.acquire(request)).toMatchObject({ kind: "later" });
    expect(await createRequestBudget(access, "eu-west-1", narrow).acquire(request)).toEqual({ kind: "granted" });
    await putItem(access, { ...requestsKey(region, "launch"), version: 7, requests: "many" });
    await expect(budget.acquire(request)).rejects.toMatchObject({
      code: "broken-item",
      message: expect.stringContaining("REQUESTS#us-east-1#launch"),
    });
  });
});
