import type { AlarmStateChange } from "../../../events/alarm.ts";
import type { InstanceEvent } from "../../../events/instance.ts";
import { type NodeCall, type NodeResponse, nodeProtocol } from "../../../events/node-call.ts";
import { addDataset, type NewDataset } from "../../flows/add-dataset.ts";
import { cancelJob, cancelJobs } from "../../flows/cancel-job.ts";
import { changeOverrides } from "../../flows/change-overrides.ts";
import { handleNodeCall } from "../../flows/handle-node-call.ts";
import { declareDead } from "../../flows/node/declare-dead.ts";
import { noteAlarm } from "../../flows/note-alarm.ts";
import { noteInstance } from "../../flows/note-instance.ts";
import { noteObjects } from "../../flows/note-objects.ts";
import { place } from "../../flows/place.ts";
import { loadPool } from "../../flows/pool/load-pool.ts";
import { poolToPlace } from "../../flows/pool/pool-to-place.ts";
import { ring } from "../../flows/pool/ring.ts";
import { rebalanceShards } from "../../flows/rebalance-shards.ts";
import { sealAttempt } from "../../flows/seal-attempt.ts";
import { type Submission, submitJob } from "../../flows/submit-job.ts";
import { type TakenOutbox, takeOutbox } from "../../flows/take-outbox.ts";
import { tick } from "../../flows/tick.ts";
import type { DatasetRef } from "../../model/dataset.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef, JobRef, OutboxRef } from "../../model/job.ts";
import type { WiderLimits } from "../../model/limits.ts";
import type { OverrideOrder } from "../../model/overrides/overrides.ts";
import type { Pool } from "../../model/pool.ts";
import type { Log } from "../../ports/log.ts";
import type { NodeReader } from "../../ports/node-reader.ts";
import { fleetName } from "../faults/alarms.ts";
import type { SimPorts } from "../faults/ports.ts";
import { Throttles } from "../faults/throttles.ts";
import { type FloodBatch, submitFlood } from "./flood.ts";
import { type HandlerEnd, Invocation, type InvocationWorld } from "./invocation.ts";
import { type Handled, inGroups } from "./queue.ts";

export type HandlersWorld = InvocationWorld & {
  /** Returns the ports of the release that the function has now. */
  readonly ports: (handler: HandlerName) => SimPorts;
  /** Returns the pools that are configured now. */
  readonly pools: () => readonly Pool[];
  readonly teams: readonly string[];
  /** Returns how many messages of jobs are dead letters. */
  readonly deadJobs: () => number;
  readonly nodeReader: NodeReader;
  /** How long faults happen. */
  readonly spanMs: number;
  readonly limits: WiderLimits;
  readonly newId: () => string;
  /** Reports whether the calls of the handler's next run take no time. */
  readonly isSwift: (handler: string) => boolean;
  readonly invoked: (handler: string) => void;
  /** Called when an outbox was handled to the end. */
  readonly taken: (outbox: OutboxRef, how: TakenOutbox) => void;
  readonly measured?: Measured | undefined;
};

/** Ports that take the place of the simulated ones, to measure what runs of functions cost. Their calls take the time that they take. */
export type Measured = {
  readonly portsOf: (handler: HandlerName, simulated: SimPorts) => SimPorts;
  /** Called when a run is over. `ms`: how long it took in virtual time. */
  readonly ran: (handler: HandlerName, ms: number) => void;
};

/** Timeouts in seconds, as in cdk/queues/timeouts.ts. */
const timeouts = {
  "submit-jobs": 20,
  place: 20,
  "ring-later": 10,
  node: 15,
  "seal-artifact": 600,
  "take-outbox": 600,
  "rebalance-shards": 120,
  "on-instance": 15,
  "on-alarm": 15,
  api: 29,
  tick: 55,
};
export type HandlerName = keyof typeof timeouts;

export const datasetsBucket = "datasets";
const datasetLimits = { perTeam: 200, listingSeconds: 15, listingsPerSource: 2, listingsPerTeam: 15 };
const liveLimits = { burstBytes: 1024, bytesPerSecond: 1024, totalBytes: 1024 };
export const instanceRoleId = "AROASIMULATED";
const places = {
  incomingBucket: "incoming",
  datasetsBucket,
  keyAliasPrefix: "alias/fleet-",
  logGroupPrefix: "/fleet/",
  instanceRoleId,
};

/** The handlers of the stack's functions. Each run is a process of its own that can die. */
export class Handlers {
  readonly #world: HandlersWorld;
  readonly #throttles: Throttles;

  constructor(world: HandlersWorld) {
    this.#world = world;
    this.#throttles = new Throttles(world, world.spanMs);
  }

  /** Submits a batch, the messages of a group in order. Returns the result of each message, unless the handler dies. */
  submit = async (
    batch: readonly Submission[],
    groupOf: ((submission: Submission) => string) | undefined,
  ): Promise<Handled | readonly Handled[]> => {
    const pools = this.#world.pools();
    const fleet = { pools, defaultPool: pools[0]?.name ?? "" };
    const ended = await this.#run("submit-jobs", (deps) => inGroups(batch, groupOf, (each) => submitJob({ ...deps, fleet }, each)));
    return ended.kind === "done" ? ended.value : handled(ended);
  };

  flood = async (batch: Omit<FloodBatch, "maxQueued">): Promise<Handled> => {
    const pools = this.#world.pools();
    const { maxQueuedJobs: maxQueued } = poolToPlace(pools, batch.pool);
    const fleet = { pools, defaultPool: batch.pool };
    // Its many calls take no time, because a batch stands for many runs at once.
    return handled(await this.#run("submit-jobs", (deps) => submitFlood({ ...deps, fleet }, { ...batch, maxQueued }), true));
  };

  place = async (name: string): Promise<Handled> => {
    const pool = poolToPlace(this.#world.pools(), name);
    return handled(await this.#run("place", (deps, { msLeft }) => place(deps, { pool, msLeft })));
  };

  ringLater = async (pool: string): Promise<Handled> => handled(await this.#run("ring-later", (deps) => ring(deps, pool, "later")));

  seal = async (attempt: AttemptRef): Promise<Handled> => handled(await this.#run("seal-artifact", (deps) => sealAttempt(deps, attempt)));

  takeOutbox = async (outbox: OutboxRef): Promise<Handled> => {
    const ended = await this.#run("take-outbox", (deps) => takeOutbox({ ...deps, ...this.#ofPools(), instanceRoleId }, outbox));
    if (ended.kind === "done") this.#world.taken(outbox, ended.value);
    return handled(ended);
  };

  rebalance = async (request: DatasetRef & { readonly relist: boolean }): Promise<Handled> =>
    handled(await this.#run("rebalance-shards", (deps) => rebalanceShards({ ...deps, datasetLimits }, request)));

  objects = async (keys: readonly string[]): Promise<Handled> =>
    handled(await this.#run("rebalance-shards", (deps) => noteObjects({ ...deps, datasetsBucket }, { bucket: datasetsBucket, keys })));

  instance = async (event: InstanceEvent): Promise<Handled> => handled(await this.#run("on-instance", (deps) => noteInstance(deps, event)));

  alarm = async (change: AlarmStateChange): Promise<Handled> => {
    const fleet = { name: fleetName, pools: this.#world.pools() };
    return handled(await this.#run("on-alarm", (deps) => noteAlarm({ ...deps, fleet }, change)));
  };

  tick = async (): Promise<Handled> =>
    handled(
      await this.#run("tick", async (deps) => {
        const { teams, deadJobs } = this.#world;
        // All teams of the simulation share one queue, so its letters count once for each.
        const deadLetters = { count: async () => deadJobs() };
        const { errors } = await tick({ ...deps, instanceRoleId, teams, deadLetters, canary: { call: this.#canary } });
        const failed = errors.map(({ part }) => part);
        if (failed.length > 0)
          throw new FleetError("tick", `these parts failed: ${failed.join(", ")}`, { retry: true, cause: errors[0]?.error });
      }),
    );

  #canary = async (): Promise<void> => {
    if (this.#world.outages.isOut("network")) throw new FleetError("node-call", "there is no network", { retry: true });
    await this.node("", { protocol: nodeProtocol, kind: "canary" });
  };

  /** Throws a FleetError if the caller gets no response. */
  node = async (instance: string, call: NodeCall): Promise<NodeResponse> => {
    const its = this.#ofPools();
    const ended = await this.#run("node", (deps) => handleNodeCall({ ...deps, ...its, places, liveLimits }, instance, call));
    if (ended.kind === "done") return ended.value;
    if (ended.kind === "threw") throw new FleetError("node-call", inWords(ended.error), { retry: true, cause: ended.error });
    throw new FleetError("node-call", "the function was killed or timed out", { retry: true });
  };

  #ofPools() {
    const configured = (pool: string) => this.#world.pools().find(({ name }) => name === pool);
    return { configured, maxLosses: (pool: string) => configured(pool)?.maxLosses };
  }

  /** Returns the names of the items that `fleet problems` shows. A pool that cannot be read has none. */
  problems = async (): Promise<readonly string[]> => {
    const { ports, pools } = this.#world;
    const nowMs = this.#world.clock.nowMs;
    const read = await Promise.allSettled(pools().map(({ name }) => loadPool(ports("api"), name, nowMs)));
    return read.flatMap((each) => (each.status === "fulfilled" ? (each.value.unreadable ?? []) : [])).map(({ key }) => key);
  };

  cancel = async (ref: JobRef): Promise<Handled> => handled(await this.#run("api", (deps) => cancelJob(deps, ref, "not wanted any more")));

  purge = async (refs: readonly JobRef[]): Promise<Handled> =>
    handled(await this.#run("api", (deps) => cancelJobs(deps, refs, { reason: "purged by an operator", states: ["queued"] })));

  /** Carries out an admin's order. One that cannot hold, for example because its node has left, is not repeated. */
  order = async (pool: string, order: OverrideOrder): Promise<Handled> => {
    const ended = await this.#run("api", (deps) => changeOverrides(deps, pool, { order, by: "Admin/ada" }));
    return ended.kind === "done" ? (ended.value.kind === "conflict" ? "failed" : "done") : handled(ended);
  };

  declareDead = async (node: string): Promise<Handled> => {
    const of = { by: "Admin/ada", because: "its machine hangs" };
    return handled(await this.#run("api", (deps) => declareDead({ ...deps, nodeReader: this.#world.nodeReader }, node, of)));
  };

  addDataset = async (request: NewDataset): Promise<Handled> =>
    handled(await this.#run("api", (deps) => addDataset({ ...deps, datasetLimits, places: { datasetsBucket, dataBuckets: [] } }, request)));

  #run<T>(
    name: HandlerName,
    work: (deps: Deps, run: Invocation) => Promise<T>,
    isSwift = this.#world.measured !== undefined || this.#world.isSwift(name),
  ): Promise<HandlerEnd<T>> {
    const { ports, limits, newId, note, invoked, outages, measured, clock } = this.#world;
    if (outages.isOut("functions") || this.#throttles.refuses(name)) return Promise.resolve({ kind: "died" });
    invoked(name);
    const run = new Invocation(this.#world, { name, timeoutMs: timeouts[name] * 1000, isSwift });
    const { now, random, pause } = run;
    const log: Log = (line) => note(line.message, line);
    const its = measured ? measured.portsOf(name, ports(name)) : ports(name);
    const deps = { ...run.ports(its), pools: this.#world.pools(), limits, now, random, pause, newId, log };
    const ended = run.run(() => work(deps, run));
    const startedMs = clock.nowMs;
    if (measured) void ended.then(() => measured.ran(name, clock.nowMs - startedMs));
    return ended;
  }
}

/** What every handler may use. */
type Deps = SimPorts &
  Pick<HandlersWorld, "limits" | "newId"> &
  Pick<Invocation, "now" | "random" | "pause"> & { readonly pools: readonly Pool[]; readonly log: Log };

const handled = ({ kind }: HandlerEnd<unknown>): Handled => (kind === "threw" ? "failed" : kind);
