import { randomUUID } from "node:crypto";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { describe } from "vitest";
import type { TableAccess } from "../../../lib/aws/table/access.ts";
import { MemoryDynamo } from "../../../lib/local/dynamo/memory-dynamo.ts";
import { ledgerOn } from "../../contract/dynamodb-ledger.ts";
import { expiryContract } from "../../contract/suites/expiry.ts";
import { ledgerContract } from "../../contract/suites/ledger.ts";
import { monday } from "../../fakes/builders.ts";

const byTeam = { name: "byTeam", keys: ["teamDay", "submitted"], holds: "all" } as const;

/** Returns the adapters' access to a new table in memory. */
function newTable(): TableAccess & { readonly dynamo: MemoryDynamo } {
  const dynamo = new MemoryDynamo({ indexes: [byTeam], createdAtMs: monday - 1 });
  return { client: dynamo.client(), table: `memory-${randomUUID()}`, dynamo };
}

async function expireItems({ dynamo, client, table }: ReturnType<typeof newTable>, byMs: number): Promise<void> {
  for (const { pk, sk, ttl } of dynamo.items.all())
    if (typeof ttl === "number" && ttl * 1000 <= byMs) await client.send(new DeleteCommand({ TableName: table, Key: { pk, sk } }));
}

describe("the ledger's adapters on a DynamoDB in memory", () => {
  ledgerContract(async () => ledgerOn(newTable()));
  expiryContract(async () => {
    const access = newTable();
    return { ledger: ledgerOn(access), expire: (byMs) => expireItems(access, byMs) };
  });
});
