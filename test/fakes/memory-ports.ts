import type { Fleet } from "../../lib/ports/fleet.ts";
import type { Ports } from "../../lib/ports/ports.ts";
import { MemoryArtifacts } from "../../lib/sim/memory/artifacts.ts";
import { MemoryDatasets, MemoryShardQueue, MemoryShardStore, memoryPoolNodes } from "../../lib/sim/memory/datasets.ts";
import { MemoryFleet } from "../../lib/sim/memory/fleet.ts";
import { MemoryOutboxes, MemoryOutboxQueue } from "../../lib/sim/memory/islands/outboxes.ts";
import { MemoryJobAccess, memoryBootDownloads, memoryOutboxKeys } from "../../lib/sim/memory/job-access.ts";
import { MemoryJournal } from "../../lib/sim/memory/journal.ts";
import { MemoryLane, MemorySealQueue } from "../../lib/sim/memory/lane.ts";
import type { MemoryLedger } from "../../lib/sim/memory/ledger.ts";
import { MemoryMarket } from "../../lib/sim/memory/market.ts";
import { MemoryTaggedInstances } from "../../lib/sim/memory/orphans.ts";
import { MemoryRequestBudget } from "../../lib/sim/memory/request-budget.ts";
import { aCatalogue } from "./builders.ts";
import { MemoryDeadLetters } from "./dead-letters.ts";
import { MemoryAttemptLogs, memoryDecisionReader } from "./readers.ts";

/** Returns the ports of one deployment, all in memory. Parts of logs are sealed by the adapter alone, so `segments` has no twin. */
export function memoryPorts({ table, wire: _wire, ...ledger }: MemoryLedger, now: () => number) {
  const fleet = new MemoryFleet();
  const artifacts = new MemoryArtifacts();
  const journal = new MemoryJournal();
  const outboxes = new MemoryOutboxes(artifacts.incoming, now);
  return {
    ...ledger,
    access: new MemoryJobAccess(now),
    artifacts,
    attemptLogs: new MemoryAttemptLogs(),
    budget: new MemoryRequestBudget(),
    canary: { call: async () => undefined },
    datasets: new MemoryDatasets(),
    deadLetters: new MemoryDeadLetters(now),
    decisionReader: memoryDecisionReader(journal),
    downloads: memoryBootDownloads,
    fleet,
    instances: new MemoryTaggedInstances(fleet, now),
    journal,
    lane: new MemoryLane(),
    market: new MemoryMarket(aCatalogue()),
    leftOutboxes: outboxes,
    outboxes,
    outboxKeys: memoryOutboxKeys,
    outboxQueue: new MemoryOutboxQueue(),
    poolNodes: memoryPoolNodes(table),
    sealAgain: new MemorySealQueue(),
    shardQueue: new MemoryShardQueue(),
    shardStore: new MemoryShardStore(now),
  } satisfies Omit<Ports, "segments">;
}

/** Returns EC2 with some of its calls replaced. */
export const fleetWith = (fleet: Fleet, over: Partial<Fleet>): Fleet => ({
  launch: (launch) => fleet.launch(launch),
  find: (launch) => fleet.find(launch),
  terminate: (instances) => fleet.terminate(instances),
  look: (instances) => fleet.look(instances),
  impaired: (instances) => fleet.impaired(instances),
  ...over,
});
