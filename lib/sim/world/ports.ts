import type { Artifacts, SealAgainQueue } from "../../ports/artifacts.ts";
import type { Lane } from "../../ports/bell.ts";
import type { Datasets, PoolNodes, ShardQueue, ShardStore } from "../../ports/datasets.ts";
import type { Fleet, PriceSource } from "../../ports/fleet.ts";
import type { BootDownloads, JobAccess } from "../../ports/job-access.ts";
import type { Journal } from "../../ports/journal.ts";
import type { TaggedInstances } from "../../ports/orphans.ts";
import type { RequestBudget } from "../../ports/request-budget.ts";
import type { LedgerPorts } from "../memory/ledger-ports.ts";

/** All ports that the flows call. The world has one of each, which all handlers share. */
export type Ports = Omit<LedgerPorts, "jobReader" | "nodeReader"> & {
  readonly fleet: Fleet;
  readonly market: PriceSource;
  readonly budget: RequestBudget;
  readonly instances: TaggedInstances;
  readonly lane: Lane;
  readonly journal: Journal;
  readonly access: JobAccess;
  readonly downloads: BootDownloads;
  readonly datasets: Datasets;
  readonly store: ShardStore;
  readonly nodes: PoolNodes;
  readonly shardQueue: ShardQueue;
  readonly sealAgain: SealAgainQueue;
  readonly artifacts: Artifacts;
};
