import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "vitest";
import { clientWithSmallPages, ledgerOn, newTable } from "../dynamodb-ledger.ts";
import { writingMore } from "../next-release.ts";
import { placed } from "../suites/arrange.ts";
import { ledgerContract } from "../suites/ledger.ts";

describe("the ledger in DynamoDB, if every item has a field that only the next release knows", () => {
  const base = writingMore(clientWithSmallPages());
  ledgerContract(async () => ledgerOn(await newTable(base)));

  test("every item that is written has the field", async () => {
    const access = await newTable(base);
    await placed(ledgerOn(access));
    const { Items = [] } = await access.client.send(new ScanCommand({ TableName: access.table }));
    expect(Items.length).toBeGreaterThan(10);
    expect(Items.filter(({ future }) => future === undefined)).toEqual([]);
  });
});
