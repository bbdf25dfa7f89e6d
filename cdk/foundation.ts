import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { Buckets } from "./buckets.ts";
import type { Configuration } from "./configuration.ts";
import type { FunctionBundles } from "./function-bundles.ts";
import type { Network } from "./network.ts";
import type { Queues } from "./queues.ts";
import type { TeamVaults } from "./team-vaults.ts";

/** What the handlers stand on. */
export type Foundation = {
  readonly configuration: Configuration;
  readonly bundles: FunctionBundles;
  readonly table: Table;
  readonly queues: Queues;
  readonly buckets: Buckets;
  readonly vaults: TeamVaults;
  readonly network: Network;
};
