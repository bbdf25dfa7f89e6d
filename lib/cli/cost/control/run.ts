import { MemoryDynamo } from "../../../local/dynamo/memory-dynamo.ts";
import type { SimPorts } from "../../../sim/faults/ports.ts";
import type { Fact } from "../../../sim/world/facts.ts";
import type { HandlerName } from "../../../sim/world/handlers.ts";
import { World } from "../../../sim/world/world.ts";
import { type Counts, noCounts, plusCounts } from "./counts.ts";
import { runBills } from "./functions.ts";
import { meteredPorts, RealWork } from "./metered-ports.ts";
import { type ControlLoad, loadScenario } from "./workload.ts";

/** Who causes cost: a function, teams that send messages, or workers that upload files. */
export type CostPart = HandlerName | "teams" | "workers";

export type Measurement = {
  readonly jobs: number;
  /** How many jobs are in each state at the end of the run. */
  readonly states: Readonly<Record<string, number>>;
  /** How many decisions began. Most of them find nothing to change. */
  readonly decisions: number;
  readonly nodes: number;
  readonly nodeHours: number;
  /** Requests to the table, all parts together. */
  readonly tableRequests: number;
  readonly byPart: ReadonlyMap<CostPart, Counts>;
};

/** The attributes of jobs that the index of the stack's table holds. `test/cdk/control-cost.test.ts` compares them. */
export const listIndex = {
  name: "byTeam",
  keys: ["teamDay", "submitted"],
  holds: [
    ...["team", "job", "pool", "state", "attempt", "failures", "losses", "submittedAtMs", "startedAtMs", "endedAtMs", "endCode", "node"],
    ...["gang", "exitCode", "reason"],
  ],
} as const;

export type MeasureOptions = {
  readonly seed: number;
  /** Called now and then with the share of the run that is over, 0 to 1. */
  readonly far: (share: number) => void;
};

/**
 * Runs a load in virtual time with the adapters of the table that functions use, over a table in memory that counts units as DynamoDB does,
 * and counts what AWS would bill. The same seed gives the same counts.
 */
export async function measure(load: ControlLoad, { seed, far }: MeasureOptions): Promise<Measurement> {
  const scenario = loadScenario(load);
  const startMs = Date.parse(scenario.startsAt);
  const dynamo = new MemoryDynamo({ indexes: [listIndex], createdAtMs: startMs });
  const tally = new Tally();
  const real = new RealWork();
  const processes = new Map<HandlerName, SimPorts>();
  const portsOf = (handler: HandlerName, simulated: SimPorts): SimPorts => {
    const bill = (bills: Partial<Counts>): void => tally.request(handler, bills);
    const wait = (ms: number): Promise<void> =>
      ms === 0 ? Promise.resolve() : new Promise((resolve) => void world.clock.after(ms, resolve));
    const its =
      processes.get(handler) ??
      meteredPorts(simulated, { dynamo, nowMs: () => world.clock.nowMs, wait, bill, real, began: () => tally.decided() });
    processes.set(handler, its);
    return its;
  };
  const ran = (handler: HandlerName, waitedMs: number): void => tally.ran(handler, waitedMs);
  const emit = (fact: Fact): void => tally.note(fact, world.clock.nowMs);
  const world: World = new World({ scenario, seed, sites: [], emit, measured: { portsOf, ran } });
  const endMs = startMs + scenario.minutes * 60_000;
  world.begin();
  let turns = 0;
  for (await settled(real); (world.clock.nextMs ?? endMs) < endMs; await settled(real)) {
    world.clock.step();
    turns += 1;
    if (turns % 1_000 === 0) far((world.clock.nowMs - startMs) / (endMs - startMs));
  }
  const states: Record<string, number> = {};
  for (const { sk, pk, state } of dynamo.items.all())
    if (sk === "STATE" && String(pk).startsWith("J#")) states[String(state)] = (states[String(state)] ?? 0) + 1;
  return { jobs: load.jobs, states, ...tally.measured(endMs) };
}

/** Waits until everything waits for virtual time. */
async function settled(real: RealWork): Promise<void> {
  do await new Promise((resolve) => void setImmediate(resolve));
  while (real.isGoingOn);
}

/** Adds up what is billed. */
class Tally {
  readonly #byPart = new Map<CostPart, Counts>();
  /** Requests of runs that are not over. Several runs of a function may be under way at once, and share them. */
  readonly #open = new Map<HandlerName, { requests: number; runs: number }>();
  readonly #begunAtMs = new Map<string, number>();
  #nodes = 0;
  #nodeMs = 0;
  #decisions = 0;
  #tableRequests = 0;

  request(handler: HandlerName, bills: Partial<Counts>): void {
    const open = this.#open.get(handler) ?? { requests: 0, runs: 0 };
    open.requests += 1;
    this.#open.set(handler, open);
    if (bills.reads !== undefined || bills.writes !== undefined) this.#tableRequests += 1;
    this.#add(handler, bills);
  }

  ran(handler: HandlerName, waitedMs: number): void {
    const requests = this.#open.get(handler)?.requests ?? 0;
    this.#open.delete(handler);
    this.#add(handler, runBills(handler, { waitedMs, requests }));
  }

  decided(): void {
    this.#decisions += 1;
  }

  note(fact: Fact, nowMs: number): void {
    if (fact.kind === "sent") this.#add("teams", { sqs: 1 });
    // Its files and its list. S3's event about the list costs nothing, and EventBridge sends it to the queue.
    if (fact.kind === "uploaded") this.#add("workers", { s3Puts: fact.paths.length + 1, sqs: 1 });
    if (fact.kind === "instance") {
      this.#nodes += 1;
      this.#begunAtMs.set(fact.id, nowMs);
    }
    if (fact.kind === "ended") {
      this.#nodeMs += nowMs - (this.#begunAtMs.get(fact.id) ?? nowMs);
      this.#begunAtMs.delete(fact.id);
    }
  }

  measured(endMs: number) {
    const going = [...this.#begunAtMs.values()].reduce((sum, begunAtMs) => sum + endMs - begunAtMs, 0);
    const nodeHours = (this.#nodeMs + going) / 3_600_000;
    return { decisions: this.#decisions, nodes: this.#nodes, nodeHours, tableRequests: this.#tableRequests, byPart: this.#byPart };
  }

  #add(part: CostPart, bills: Partial<Counts>): void {
    this.#byPart.set(part, plusCounts(this.#byPart.get(part) ?? noCounts, bills));
  }
}
