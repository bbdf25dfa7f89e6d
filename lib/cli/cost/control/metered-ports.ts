import { rememberedAccess, rememberedOutboxKeys } from "../../../aws/access/remembered-access.ts";
import type { TableAccess } from "../../../aws/table/access.ts";
import { createDatasets } from "../../../aws/table/datasets/datasets.ts";
import { createAdmissions } from "../../../aws/table/jobs/admissions.ts";
import { createCancellations } from "../../../aws/table/jobs/cancellations.ts";
import { createSealing } from "../../../aws/table/jobs/sealing.ts";
import { createNodeLedger } from "../../../aws/table/nodes/node-ledger.ts";
import { createNodeReader } from "../../../aws/table/nodes/node-reader.ts";
import { createOrphans } from "../../../aws/table/nodes/orphans.ts";
import { createOutboxClaims } from "../../../aws/table/nodes/outbox-claims.ts";
import { createPoolNodes } from "../../../aws/table/nodes/pool-nodes.ts";
import { createBell } from "../../../aws/table/pools/bell.ts";
import { createCapacityMemory } from "../../../aws/table/pools/capacity-memory.ts";
import { createCatalogueStore } from "../../../aws/table/pools/catalogue-store.ts";
import { createDecisions } from "../../../aws/table/pools/decisions.ts";
import { createOverrides } from "../../../aws/table/pools/overrides.ts";
import { createPlacements } from "../../../aws/table/pools/placements.ts";
import { createPoolRegistry } from "../../../aws/table/pools/pool-registry.ts";
import { createRequestBudget } from "../../../aws/table/pools/request-budget.ts";
import type { MadeCall, MemoryDynamo } from "../../../local/dynamo/memory-dynamo.ts";
import { documentedLimits } from "../../../model/requests/request-limits.ts";
import type { SimPorts } from "../../../sim/faults/ports.ts";
import type { Counts } from "./counts.ts";
import { type PortCall, portCall, tableMs } from "./port-calls.ts";

/** What the ports of one process of a function need. */
export type Meter = {
  readonly dynamo: MemoryDynamo;
  readonly nowMs: () => number;
  /** Waits in virtual time. */
  readonly wait: (ms: number) => Promise<void>;
  /** Called for each request. */
  readonly bill: (bills: Partial<Counts>) => void;
  /** Called when a decision begins. */
  readonly began: () => void;
  /** Work outside of virtual time, which virtual time must wait for. */
  readonly real: RealWork;
};

/** Counts the calls that wait for something else than virtual time. */
export class RealWork {
  #calls = 0;

  get isGoingOn(): boolean {
    return this.#calls > 0;
  }

  /** Does work that takes time of this machine. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    try {
      return await work();
    } finally {
      this.#calls -= 1;
    }
  }

  /** Waits for virtual time within such work. */
  async except<T>(work: () => Promise<T>): Promise<T> {
    this.#calls -= 1;
    try {
      return await work();
    } finally {
      this.#calls += 1;
    }
  }
}

/** Returns the ports of a process: the adapters of the table over one in memory, and the simulated ports of all other services. */
export function meteredPorts(simulated: SimPorts, meter: Meter): SimPorts {
  const { dynamo, nowMs, real } = meter;
  const made = async ({ command, units }: MadeCall): Promise<void> => {
    meter.bill({ reads: units.read, writes: units.write });
    await meter.wait(tableMs(command));
  };
  const access: TableAccess = { client: dynamo.client(made), table: "fleet" };
  // It pauses when another call was in the way, which takes time of this machine.
  const slow: TableAccess = { client: dynamo.client((call) => real.except(() => made(call))), table: "fleet" };
  const during = <T extends object>(port: T): T => wrapped(port, (_method, work) => real.during(work));
  const others = Object.fromEntries(
    otherPorts.map((port) => [
      port,
      wrapped(simulated[port], (method, work) => metered(meter, work, (result) => portCall(port, method, result))),
    ]),
  ) as Pick<SimPorts, (typeof otherPorts)[number]>;
  const decisions = createDecisions(access);
  return {
    ...simulated,
    ...others,
    access: rememberedAccess(others.access, nowMs),
    outboxKeys: rememberedOutboxKeys(others.outboxKeys, nowMs),
    admissions: createAdmissions(access),
    bell: createBell(access),
    budget: during(createRequestBudget(slow, "us-east-1", documentedLimits)),
    cancellations: createCancellations(access),
    capacity: createCapacityMemory(access),
    catalogues: createCatalogueStore(access),
    datasets: createDatasets(access),
    decisions: {
      ...decisions,
      begin(pool) {
        meter.began();
        return decisions.begin(pool);
      },
    },
    nodeLedger: createNodeLedger(access),
    nodeReader: createNodeReader(access),
    orphans: createOrphans(access),
    outboxClaims: createOutboxClaims(access),
    overrides: createOverrides(access),
    placements: createPlacements(access, nowMs),
    poolNodes: createPoolNodes(access),
    registry: createPoolRegistry(access),
    sealing: createSealing(access),
  };
}

const otherPorts = [
  "access",
  "artifacts",
  "downloads",
  "fleet",
  "instances",
  "journal",
  "lane",
  "leftOutboxes",
  "market",
  "outboxes",
  "outboxKeys",
  "outboxQueue",
  "sealAgain",
  "shardQueue",
  "shardStore",
] as const satisfies readonly (keyof SimPorts)[];

/** Bills a call by its result, and lets it take its time before anything happens. */
async function metered(meter: Meter, work: () => Promise<unknown>, callOf: (result: unknown) => PortCall): Promise<unknown> {
  const result = await work();
  const { bills, ms } = callOf(result);
  meter.bill(bills);
  await meter.wait(ms);
  return result;
}

/** Returns a port whose methods are called by `call`. */
function wrapped<T extends object>(port: T, call: (method: string, work: () => Promise<unknown>) => Promise<unknown>): T {
  return new Proxy(port, {
    get: (target, method) => {
      const own: unknown = Reflect.get(target, method);
      if (typeof own !== "function") return own;
      return (...args: unknown[]) => call(String(method), async () => Reflect.apply(own, target, args));
    },
  });
}
