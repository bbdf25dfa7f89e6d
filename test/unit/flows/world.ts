import { type NodeCall, nodeProtocol } from "../../../events/node-call.ts";
import { handleNodeCall, type NodeCallDeps } from "../../../lib/flows/handle-node-call.ts";
import { type PlaceDeps, type Placed, place } from "../../../lib/flows/place.ts";
import { poolToPlace } from "../../../lib/flows/pool/pool-to-place.ts";
import { ring } from "../../../lib/flows/pool/ring.ts";
import { type SubmitDeps, submitJob } from "../../../lib/flows/submit-job.ts";
import type { DatasetLimits } from "../../../lib/model/dataset.ts";
import { type ConfiguredLimits, widerLimits } from "../../../lib/model/limits.ts";
import { isLive } from "../../../lib/model/node.ts";
import type { Measure } from "../../../lib/model/objectives/objective.ts";
import type { Catalogue } from "../../../lib/model/offer.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { plus } from "../../../lib/model/reservations.ts";
import { memoryLedger } from "../../../lib/sim/memory/ledger.ts";
import { aCatalogue, aPool, monday } from "../../fakes/builders.ts";
import { expectLine } from "../../fakes/log-lines.ts";
import { memoryPorts } from "../../fakes/memory-ports.ts";

type Report = Extract<NodeCall, { kind: "report" }>;

/** A pool, its ledger, its lane and an EC2, all in memory, at a time that tests advance. */
export class World {
  nowMs = monday;
  readonly pool: Pool;
  readonly pools: readonly Pool[];
  /** The limits beyond the pool's; tests change them. */
  limits: ConfiguredLimits = {};
  /** The limits of datasets; tests change them. */
  datasetLimits: DatasetLimits = { perTeam: 200, listingSeconds: 15, listingsPerSource: 4, listingsPerTeam: 15 };
  readonly ledger = memoryLedger();
  readonly ports = memoryPorts(this.ledger, () => this.nowMs);
  readonly lane = this.ports.lane;
  readonly fleet = this.ports.fleet;
  readonly journal = this.ports.journal;
  readonly budget = this.ports.budget;
  readonly datasets = this.ports.datasets;
  readonly shardQueue = this.ports.shardQueue;
  readonly access = this.ports.access;
  readonly measured: Measure[] = [];
  readonly log: { readonly level: string; readonly message: string; readonly [field: string]: unknown }[] = [];
  /** Whether the tick's calls to `node` fail, so that nobody knows whether workers are heard. */
  isDeaf = false;
  #ids = 0;
  /** The newest session of each node's worker, and the number of its last call. */
  readonly #sessions = new Map<string, { readonly process: string; readonly session: number; sequence: number }>();

  /** Other pools are those that its jobs may move to. */
  constructor(pool: Pool = aPool(), catalogue = aCatalogue(), others: readonly Pool[] = []) {
    this.pool = pool;
    this.pools = [pool, ...others];
    this.ledger.table.catalogues.set(pool.name, catalogue);
  }

  /** All ports and settings that flows need, except the configured pools of those that submit. */
  get deps() {
    return {
      ...this.ports,
      limits: widerLimits(this.limits),
      pools: this.pools,
      maxLosses: () => this.pool.maxLosses,
      datasetLimits: this.datasetLimits,
      configured: (pool: string) => this.pools.find(({ name }) => name === pool),
      instanceRoleId: "AROAINSTANCEROLE",
      liveLimits: { burstBytes: 1, bytesPerSecond: 2, totalBytes: 3 },
      places: {
        incomingBucket: "incoming",
        datasetsBucket: "datasets",
        instanceRoleId: "AROAINSTANCEROLE",
        keyAliasPrefix: "alias/fleetwright-",
        logGroupPrefix: "/fleetwright/",
      },
      measured: (measure: Measure) => void this.measured.push(measure),
      pause: async (ms: number) => {
        this.nowMs += ms;
      },
      random: () => 0.5,
      now: () => this.nowMs,
      newId: () => `id-${++this.#ids}`,
      log: (line: World["log"][number]) => {
        expectLine(line);
        this.log.push(line);
      },
    };
  }

  get submitDeps(): SubmitDeps {
    return { ...this.deps, fleet: { pools: this.pools, defaultPool: this.pool.name, ...this.limits } };
  }

  get placeDeps(): PlaceDeps {
    return this.deps;
  }

  get nodeCallDeps(): NodeCallDeps {
    return this.deps;
  }

  /** Submits a job as team vision. */
  submit(job: string, fields: object = {}) {
    const body = JSON.stringify({ id: job, command: ["python", "train.py"], ...fields });
    return submitJob(this.submitDeps, { team: "vision", messageId: `message-of-${job}`, body, sentAtMs: this.nowMs });
  }

  /** Notes that workers are heard, as the tick does. */
  hear(): void {
    if (!this.isDeaf) this.ledger.table.hearing = { atMs: this.nowMs, sinceMs: monday - 3_600_000 };
  }

  place(deps: Partial<PlaceDeps> = {}, pool = this.pool): Promise<Placed> {
    this.hear();
    return place({ ...this.placeDeps, ...deps }, { pool, msLeft: () => 20_000 });
  }

  /** Returns the next call of a worker's session. */
  report(node: string, over: Partial<Report> = {}): Report {
    const session = this.#sessions.get(node);
    if (session) session.sequence += 1;
    return {
      protocol: nodeProtocol,
      kind: "report",
      pool: this.ledger.table.instances.get(node) ?? this.pool.name,
      workerVersion: "1",
      session: session?.session ?? 1,
      sequence: session?.sequence ?? 1,
      process: "p1",
      attempts: [],
      renew: [],
      ...over,
    };
  }

  /** Makes one call of a worker. Another process than that of its last call begins a session first. */
  async call(node: string, over: Partial<Report> = {}) {
    const process = over.process ?? "p1";
    if (this.#sessions.get(node)?.process !== process) {
      const begun = await this.begin(node, process);
      if (begun.kind !== "session") return begun;
    }
    return handleNodeCall(this.nodeCallDeps, node, this.report(node, over));
  }

  /** Begins a session for a process of a node's worker. */
  async begin(node: string, process = "p1") {
    const pool = this.ledger.table.instances.get(node) ?? this.pool.name;
    const begun = await handleNodeCall(this.nodeCallDeps, node, { protocol: nodeProtocol, kind: "begin", pool });
    if (begun.kind === "session") this.#sessions.set(node, { process, session: begun.session, sequence: 0 });
    return begun;
  }

  /** Does what the ring of a `later` message does. */
  ringLater(pool = this.pool.name): Promise<void> {
    return ring(this.ports, pool, "later");
  }

  /** Advances time, while every node's worker calls. */
  async wait(seconds: number): Promise<void> {
    this.nowMs += seconds * 1000;
    for (const node of this.nodes.filter(isLive)) await this.call(node.id);
  }

  /** Advances time: workers call, due messages on `later` ring, and `place` runs for the lane's messages. */
  async pass(seconds: number): Promise<void> {
    await this.wait(seconds);
    for (const pool of this.lane.due(seconds)) await this.ringLater(pool);
    await this.workOff();
  }

  /** Runs decisions while a lane message waits. */
  async workOff(): Promise<void> {
    for (let message = this.lane.receive(); message; message = this.lane.receive()) {
      await this.place({}, poolToPlace(this.pools, message.pool));
      message.done();
    }
  }

  job(job: string) {
    return this.ledger.table.jobs.get(`vision/${job}`);
  }

  /** The nodes in the ledger whose end has not been requested from EC2. */
  get nodes() {
    return [...this.ledger.table.nodes.values()].map((row) => row.node).filter((node) => node.state !== "terminating");
  }

  /** What all pools have reserved. */
  get reserved() {
    return this.pools.map(({ name }) => this.ledger.table.reserved(name)).reduce(plus);
  }

  /** The only node. */
  get node() {
    const [node, ...others] = this.nodes;
    if (!node || others.length > 0) throw new Error(`there are ${this.nodes.length} nodes`);
    return node;
  }
}

/** Returns the world of `aPool` with `aCatalogue`. `others`: the pools that its jobs may move to. */
export const aWorld = (of: { pool?: Pool; catalogue?: Catalogue; others?: readonly Pool[] } = {}): World =>
  new World(of.pool, of.catalogue, of.others);
