import { datasetName } from "../../model/dataset.ts";
import { usable } from "../../model/offer.ts";
import type { Pool } from "../../model/pool.ts";
import type { Lane } from "../../ports/bell.ts";
import type { Datasets } from "../../ports/datasets.ts";
import type { Decisions, Placements } from "../../ports/pool-ledger.ts";
import type { Chance } from "../faults/chance.ts";
import { type Outages, unlessKeysAreOut, unlessOut } from "../faults/outages.ts";
import type { SimPorts } from "../faults/ports.ts";
import { type ItemSizes, withItemSizes } from "../load/item-sizes.ts";
import type { MemoryArtifacts } from "../memory/artifacts.ts";
import { type MemoryDatasets, type MemoryShardStore, memoryPoolNodes } from "../memory/datasets.ts";
import type { MemoryOutboxes } from "../memory/islands/outboxes.ts";
import { MemoryJobAccess, memoryBootDownloads, memoryOutboxKeys } from "../memory/job-access.ts";
import { deduplication } from "../memory/lane.ts";
import type { MemoryLedger } from "../memory/ledger.ts";
import type { LedgerPorts } from "../memory/ledger-ports.ts";
import { MemoryMarket } from "../memory/market.ts";
import { asNextRelease } from "../memory/next-release.ts";
import { MemoryRequestBudget } from "../memory/request-budget.ts";
import { Spoiled, withUnreadable } from "../memory/unreadable.ts";
import type { SimClock } from "./clock.ts";
import type { SimEc2 } from "./ec2.ts";
import type { Fact } from "./facts.ts";
import type { OfReleases } from "./rollout.ts";
import type { Scenario } from "./scenario.ts";
import type { SimQueues } from "./wires.ts";

/** The parts of the world that the ports use. */
export type PortsWorld = {
  readonly clock: SimClock;
  readonly scenario: Scenario;
  readonly pools: readonly Pool[];
  readonly ledger: MemoryLedger;
  readonly spoiled: Spoiled;
  readonly sizes: ItemSizes;
  /** Decides which writes of the next release this one cannot read. */
  readonly chance: Chance;
  readonly artifacts: MemoryArtifacts;
  readonly outboxes: MemoryOutboxes;
  readonly datasets: MemoryDatasets;
  readonly store: MemoryShardStore;
  readonly ec2: SimEc2;
  readonly outages: Outages;
  readonly queues: SimQueues;
  readonly emit: (fact: Fact) => void;
};

/** Returns the ports of this release and, during a rollout, those of the next one, without any planted bug. Writes through them are reported to the invariants. */
export function realPorts(world: PortsWorld): OfReleases<SimPorts> {
  const { scenario, ledger, chance } = world;
  const { rollout } = scenario;
  const shared = sharedPorts(world);
  const unreadable = (spoiled: Spoiled): SimPorts => ({
    ...shared,
    ...ledgerPorts(world, withUnreadable(ledger, spoiled)),
    poolNodes: { nodes: (pool) => readableNodes(ledger, spoiled, pool) },
  });
  if (rollout) {
    const unknown = new Spoiled();
    const next = asNextRelease(ledger, { unknown, writesNew: () => chance.happens(rollout.unknown) });
    return { present: unreadable(unknown), next: { ...shared, ...ledgerPorts(world, next) } };
  }
  const isPoisoned = (scenario.faults["table.unreadable"] ?? 0) > 0;
  const present = isPoisoned ? unreadable(world.spoiled) : { ...shared, ...ledgerPorts(world, ledger) };
  return { present, next: present };
}

function ledgerPorts(world: PortsWorld, ledger: LedgerPorts) {
  const stored = withItemSizes(ledger, world.ledger.table, world.sizes);
  return {
    ...stored,
    decisions: takingTime(world, stored.decisions),
    placements: emittingReservations(world, stored.placements),
  };
}

/** Returns the ports that are the same for all releases. */
function sharedPorts(world: PortsWorld): Omit<SimPorts, keyof LedgerPorts> {
  const { clock, scenario, emit, ledger, ec2, artifacts, outboxes, datasets, store, queues } = world;
  const sold = {
    types: scenario.types.map(({ name, ...raw }) => ({
      name,
      resources: usable(raw),
      ...(raw.gpus > 0 ? { gpu: { model: "A10G", memoryGiB: 24 } } : {}),
    })),
    offers: scenario.offers.map(({ capacity: _capacity, ...offer }) => offer),
    refreshedAtMs: clock.nowMs,
  };
  const isFirst = deduplication();
  const lane: Lane = {
    send: async (pool, once) => {
      if (isFirst(pool, once)) queues.lane.send({ pool });
    },
    sendLater: async (pool, delaySeconds) => queues.later.send({ pool }, Math.min(Math.max(Math.ceil(delaySeconds), 0), 900) * 1000),
  };
  return {
    lane,
    artifacts: unlessKeysAreOut(artifacts, world.outages),
    datasets: emittingMaps(world, datasets),
    shardStore: store,
    ...unlessOut(ec2, world.outages),
    market: new MemoryMarket(sold),
    budget: new MemoryRequestBudget(),
    journal: { record: async (decision) => emit({ kind: "decided", decision }) },
    access: new MemoryJobAccess(() => clock.nowMs),
    downloads: memoryBootDownloads,
    outboxes,
    leftOutboxes: outboxes,
    outboxKeys: memoryOutboxKeys,
    outboxQueue: { send: async (outbox) => queues.outboxes.send(outbox) },
    poolNodes: memoryPoolNodes(ledger.table),
    shardQueue: {
      send: async ({ team, dataset }, { relist = false, delaySeconds = 0 } = {}) =>
        queues.shards.send({ team, dataset, relist }, delaySeconds * 1000),
    },
    sealAgain: { send: async ({ team, job, attempt }) => queues.seal.send({ team, job, attempt }) },
  };
}

/** Returns the decisions with the time that a function needs for a long queue, because virtual time does not see the processor's. It reports each. */
function takingTime({ clock, scenario: { decisionMsPerEntry: msPerEntry }, emit }: PortsWorld, stored: Decisions): Decisions {
  const begin: Decisions["begin"] = async (pool) => {
    const begun = await stored.begin(pool);
    emit({ kind: "deciding", pool });
    return begun;
  };
  const real = { ...stored, begin };
  if (msPerEntry === 0) return real;
  const waiting: Decisions["waiting"] = async (pool, nowMs) => {
    const read = await real.waiting(pool, nowMs);
    await new Promise<void>((resolve) => void clock.after(read.queue.length * msPerEntry, resolve));
    return read;
  };
  return { ...real, waiting };
}

const readableNodes = async ({ table }: MemoryLedger, spoiled: Spoiled, pool: string) =>
  (await memoryPoolNodes(table).nodes(pool)).filter(({ id }) => !spoiled.has("node", id));

function emittingReservations({ pools, ledger, emit }: PortsWorld, real: Placements): Placements {
  const emitting = async <T>(pool: string, written: Promise<T>): Promise<T> => {
    const outcome = await written;
    const of = pools.find(({ name }) => name === pool);
    if (of) emit({ kind: "reserved", pool: of, reserved: ledger.table.reserved(pool) });
    return outcome;
  };
  return {
    ...real,
    intend: async (fence, launch, limits) => {
      const written = await emitting(fence.pool, real.intend(fence, launch, limits));
      if (written === "done") emit({ kind: "intended", launch });
      return written;
    },
    settle: (fence, settled) => emitting(fence.pool, real.settle(fence, settled)),
    terminating: (fence, ...rest) => emitting(fence.pool, real.terminating(fence, ...rest)),
    removeNode: (fence, ...rest) => emitting(fence.pool, real.removeNode(fence, ...rest)),
  };
}

/** Returns a plain object of the methods, so that they work whatever `this` is. It reports new maps. */
function emittingMaps({ emit }: PortsWorld, real: MemoryDatasets): Datasets {
  return {
    get: real.get,
    list: real.list,
    add: real.add,
    replace: real.replace,
    remove: real.remove,
    recordListing: real.recordListing,
    recordTrouble: real.recordTrouble,
    recordRelist: real.recordRelist,
    claimListing: real.claimListing,
    recordDeferral: real.recordDeferral,
    mayRequestMap: real.mayRequestMap,
    recordMap: async (was, map) => {
      const before = real.records.get(datasetName(was));
      const written = await real.recordMap(was, map);
      const after = real.records.get(datasetName(was));
      if (written === "done" && before && after) emit({ kind: "map", before, after });
      return written;
    },
  };
}
