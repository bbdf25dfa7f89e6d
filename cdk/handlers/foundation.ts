import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { FunctionBundles } from "../bundles/function-bundles.ts";
import type { Configuration } from "../configuration/configuration.ts";
import type { Network } from "../nodes/network.ts";
import type { Queues } from "../queues/queues.ts";
import type { Buckets } from "../storage/buckets.ts";
import type { TeamVaults } from "../storage/team-vaults.ts";

/** The parts of the stack that all handlers share. */
export type Foundation = {
  readonly configuration: Configuration;
  readonly bundles: FunctionBundles;
  readonly table: Table;
  readonly queues: Queues;
  readonly buckets: Buckets;
  readonly vaults: TeamVaults;
  readonly network: Network;
};
