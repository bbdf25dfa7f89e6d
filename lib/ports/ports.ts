import type { Artifacts, SealAgainQueue } from "./artifacts.ts";
import type { AttemptLogs } from "./attempt-logs.ts";
import type { Bell, Lane } from "./bell.ts";
import type { CapacityMemory } from "./capacity.ts";
import type { Datasets, PoolNodes, ShardQueue, ShardStore } from "./datasets.ts";
import type { DecisionReader } from "./decision-reader.ts";
import type { Fleet, PriceSource } from "./fleet.ts";
import type { LeftOutboxes, OutboxClaims, Outboxes, OutboxKeys, OutboxQueue } from "./islands/outboxes.ts";
import type { BootDownloads, JobAccess } from "./job-access.ts";
import type { Admissions, Cancellations, JobLookup, JobReader, Sealing } from "./jobs.ts";
import type { Journal } from "./journal.ts";
import type { LogSegments } from "./kept-logs.ts";
import type { Canary, NodeLedger } from "./node-ledger.ts";
import type { NodeReader } from "./node-reader.ts";
import type { Orphans, TaggedInstances } from "./orphans.ts";
import type { PoolOverrides } from "./overrides.ts";
import type { CatalogueStore, Decisions, Placements } from "./pool-ledger.ts";
import type { PoolRegistry } from "./pool-registry.ts";
import type { DeadLetters } from "./queues/dead-letters.ts";
import type { RequestBudget } from "./request-budget.ts";

/**
 * All ports that flows and the API call, each under the only name that it has anywhere. A flow takes those that it needs, such as
 * `Pick<Ports, "bell" | "lane">`.
 */
export type Ports = {
  // In the table.
  readonly admissions: Admissions;
  readonly bell: Bell;
  readonly budget: RequestBudget;
  readonly cancellations: Cancellations;
  readonly capacity: CapacityMemory;
  readonly catalogues: CatalogueStore;
  readonly datasets: Datasets;
  readonly decisions: Decisions;
  readonly jobLookup: JobLookup;
  readonly jobReader: JobReader;
  readonly nodeLedger: NodeLedger;
  readonly nodeReader: NodeReader;
  readonly overrides: PoolOverrides;
  readonly placements: Placements;
  readonly poolNodes: PoolNodes;
  readonly registry: PoolRegistry;
  readonly sealing: Sealing;
  readonly orphans: Orphans;
  readonly outboxClaims: OutboxClaims;
  // Queues.
  readonly deadLetters: DeadLetters;
  readonly lane: Lane;
  readonly outboxQueue: OutboxQueue;
  readonly sealAgain: SealAgainQueue;
  readonly shardQueue: ShardQueue;
  // Objects and logs.
  readonly artifacts: Artifacts;
  readonly attemptLogs: AttemptLogs;
  readonly decisionReader: DecisionReader;
  readonly downloads: BootDownloads;
  readonly journal: Journal;
  readonly leftOutboxes: LeftOutboxes;
  readonly outboxes: Outboxes;
  readonly outboxKeys: OutboxKeys;
  readonly segments: LogSegments;
  readonly shardStore: ShardStore;
  // EC2 and access.
  readonly access: JobAccess;
  readonly canary: Canary;
  readonly fleet: Fleet;
  readonly instances: TaggedInstances;
  readonly market: PriceSource;
};
