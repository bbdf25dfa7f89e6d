import { randomUUID } from "node:crypto";
import { CreateTableCommand, type DescribeTableCommandOutput, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { inject } from "vitest";
import { readPagesPlainly } from "../../lib/aws/clients/plain-pages.ts";
import type { TableAccess } from "../../lib/aws/table/access.ts";
import { createAdmissions } from "../../lib/aws/table/jobs/admissions.ts";
import { createCancellations } from "../../lib/aws/table/jobs/cancellations.ts";
import { createJobLookup } from "../../lib/aws/table/jobs/job-lookup.ts";
import { createJobReader } from "../../lib/aws/table/jobs/job-reader.ts";
import { createSealing } from "../../lib/aws/table/jobs/sealing.ts";
import { createNodeLedger } from "../../lib/aws/table/nodes/node-ledger.ts";
import { createNodeReader } from "../../lib/aws/table/nodes/node-reader.ts";
import { createOrphans } from "../../lib/aws/table/nodes/orphans.ts";
import { createOutboxClaims } from "../../lib/aws/table/nodes/outbox-claims.ts";
import { createBell } from "../../lib/aws/table/pools/bell.ts";
import { createCapacityMemory } from "../../lib/aws/table/pools/capacity-memory.ts";
import { createCatalogueStore } from "../../lib/aws/table/pools/catalogue-store.ts";
import { createDecisions } from "../../lib/aws/table/pools/decisions.ts";
import { createOverrides } from "../../lib/aws/table/pools/overrides.ts";
import { createPlacements } from "../../lib/aws/table/pools/placements.ts";
import { createPoolRegistry } from "../../lib/aws/table/pools/pool-registry.ts";
import type { LedgerPorts } from "../../lib/sim/memory/ledger-ports.ts";
import { monday } from "../fakes/builders.ts";

const config = () => ({
  endpoint: inject("ministackUrl"),
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});

/** A client with small pages, because the emulator does not limit them to 1 MB as DynamoDB does. */
export function clientWithSmallPages(): DynamoDBClient {
  const client = new DynamoDBClient(config());
  readPagesPlainly(client);
  client.middlewareStack.add(
    (next, context) => (args) =>
      next(context.commandName === "QueryCommand" && !("Limit" in args.input) ? { ...args, input: { ...args.input, Limit: 40 } } : args),
    { step: "initialize", name: "small-pages" },
  );
  // The jobs of tests are submitted in the past, and a job that is older than its table is from a backup.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      if (context.commandName === "DescribeTableCommand")
        Object.assign((result.output as DescribeTableCommandOutput).Table ?? {}, { CreationDateTime: new Date(monday - 1) });
      return result;
    },
    { step: "initialize", name: "old-table" },
  );
  return client;
}

/** Creates a new table with the schema of the stack's table. */
export async function newTable(base: DynamoDBClient = clientWithSmallPages()): Promise<TableAccess & { base: DynamoDBClient }> {
  const table = `ledger-${randomUUID()}`;
  await base.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk", "teamDay", "submitted"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "byTeam",
          KeySchema: [
            { AttributeName: "teamDay", KeyType: "HASH" },
            { AttributeName: "submitted", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  return { client: DynamoDBDocumentClient.from(base), table, base };
}

export const ledgerOn = (access: TableAccess): LedgerPorts => ({
  bell: createBell(access),
  admissions: createAdmissions(access),
  cancellations: createCancellations(access),
  jobLookup: createJobLookup(access),
  jobReader: createJobReader(access),
  sealing: createSealing(access),
  decisions: createDecisions(access),
  overrides: createOverrides(access),
  placements: createPlacements(access, Date.now),
  capacity: createCapacityMemory(access),
  catalogues: createCatalogueStore(access),
  nodeLedger: createNodeLedger(access),
  nodeReader: createNodeReader(access),
  registry: createPoolRegistry(access),
  orphans: createOrphans(access),
  outboxClaims: createOutboxClaims(access),
});
