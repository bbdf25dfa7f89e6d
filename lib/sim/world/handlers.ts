import type { InstanceEvent } from "../../../events/instance.ts";
import type { NodeAnswer, NodeCall } from "../../../events/node-call.ts";
import { addDataset, type NewDataset } from "../../flows/add-dataset.ts";
import { cancelJob } from "../../flows/cancel-job.ts";
import { handleNodeCall } from "../../flows/handle-node-call.ts";
import { noteInstance } from "../../flows/note-instance.ts";
import { noteObjects } from "../../flows/note-objects.ts";
import { place } from "../../flows/place.ts";
import { poolToPlace } from "../../flows/pool/pool-to-place.ts";
import { ring } from "../../flows/pool/ring.ts";
import { rebalanceShards } from "../../flows/rebalance-shards.ts";
import { sealAttempt } from "../../flows/seal-attempt.ts";
import { type Submission, submitJob } from "../../flows/submit-job.ts";
import { tick } from "../../flows/tick.ts";
import type { DatasetRef } from "../../model/dataset.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef, JobRef } from "../../model/job.ts";
import type { WiderLimits } from "../../model/limits.ts";
import type { Pool } from "../../model/pool.ts";
import { type HandlerEnd, Invocation, type InvocationWorld } from "./invocation.ts";
import type { Ports } from "./ports.ts";
import type { Handled } from "./queue.ts";

export type HandlersWorld = InvocationWorld & {
  readonly ports: Ports;
  /** Returns the pools that are configured now. */
  readonly pools: () => readonly Pool[];
  readonly teams: readonly string[];
  readonly limits: WiderLimits;
  readonly newId: () => string;
  /** Reports whether the calls of the handler's next run take no time. */
  readonly isSwift: (handler: string) => boolean;
  readonly invoked: (handler: string) => void;
};

/** Timeouts in seconds, as in cdk/queues/timeouts.ts. */
const timeouts = {
  "submit-jobs": 20,
  place: 20,
  "ring-later": 10,
  node: 15,
  "seal-artifact": 600,
  "rebalance-shards": 120,
  "on-instance": 15,
  api: 29,
  tick: 55,
};
export type HandlerName = keyof typeof timeouts;

export const datasetsBucket = "datasets";
const liveLimits = { burstBytes: 1024, bytesPerSecond: 1024, totalBytes: 1024 };
const places = { incomingBucket: "incoming", keyAliasPrefix: "alias/fleet-", logGroupPrefix: "/fleet/" };

/** The handlers of the stack's functions. Each run is a process of its own that can die. */
export class Handlers {
  readonly #world: HandlersWorld;

  constructor(world: HandlersWorld) {
    this.#world = world;
  }

  submit = async (submission: Submission): Promise<Handled> => {
    const { ports } = this.#world;
    const pools = this.#world.pools();
    const fleet = { pools, defaultPool: pools[0]?.name ?? "" };
    return handled(
      await this.#run("submit-jobs", (run) => {
        const { admissions, catalogues, datasets } = ports;
        return submitJob(
          {
            ...ringing(run, ports),
            admissions: run.port("admissions", admissions),
            catalogues: run.port("catalogues", catalogues),
            datasets: run.port("datasets", datasets),
            fleet,
          },
          submission,
        );
      }),
    );
  };

  place = async (name: string): Promise<Handled> => {
    const { ports, limits, newId, note } = this.#world;
    const pool = poolToPlace(this.#world.pools(), name);
    return handled(
      await this.#run("place", (run) =>
        place(
          {
            decisions: run.port("decisions", ports.decisions),
            placements: run.port("placements", ports.placements),
            fleet: run.port("fleet", ports.fleet),
            lane: run.port("lane", ports.lane),
            journal: run.port("journal", ports.journal),
            budget: run.port("budget", ports.budget),
            capacity: run.port("capacity", ports.capacity),
            catalogues: run.port("catalogues", ports.catalogues),
            pools: this.#world.pools(),
            limits,
            pause: (ms) => run.pause(ms),
            random: run.random,
            now: run.now,
            newId,
            log: (line) => note(line.message, line),
          },
          { pool, msLeft: run.msLeft },
        ),
      ),
    );
  };

  ringLater = async (pool: string): Promise<Handled> =>
    handled(await this.#run("ring-later", (run) => ring(ringing(run, this.#world.ports), pool, "later")));

  seal = async (attempt: AttemptRef): Promise<Handled> => {
    const { sealing, artifacts } = this.#world.ports;
    return handled(
      await this.#run("seal-artifact", (run) =>
        sealAttempt({ sealing: run.port("sealing", sealing), artifacts: run.port("artifacts", artifacts), now: run.now }, attempt),
      ),
    );
  };

  rebalance = async (asked: DatasetRef & { readonly relist: boolean }): Promise<Handled> => {
    const { ports, newId } = this.#world;
    const pools = this.#world.pools();
    return handled(
      await this.#run("rebalance-shards", (run) =>
        rebalanceShards(
          {
            datasets: run.port("datasets", ports.datasets),
            store: run.port("store", ports.store),
            nodes: run.port("nodes", ports.nodes),
            pools,
            now: run.now,
            newId,
          },
          asked,
        ),
      ),
    );
  };

  objects = async (keys: readonly string[]): Promise<Handled> => {
    const { ports } = this.#world;
    return handled(
      await this.#run("rebalance-shards", (run) =>
        noteObjects(
          {
            datasets: run.port("datasets", ports.datasets),
            queue: run.port("queue", ports.shardQueue),
            datasetsBucket,
            now: run.now,
          },
          { bucket: datasetsBucket, keys },
        ),
      ),
    );
  };

  instance = async (event: InstanceEvent): Promise<Handled> => {
    const { ports } = this.#world;
    return handled(
      await this.#run("on-instance", (run) =>
        noteInstance({ ...ringing(run, ports), ledger: run.port("ledger", ports.nodeLedger), now: run.now }, event),
      ),
    );
  };

  tick = async (): Promise<Handled> => {
    const { ports, teams } = this.#world;
    const pools = this.#world.pools();
    return handled(
      await this.#run("tick", async (run) => {
        const { errors } = await tick({
          ...ringing(run, ports),
          decisions: run.port("decisions", ports.decisions),
          catalogues: run.port("catalogues", ports.catalogues),
          market: run.port("market", ports.market),
          sealing: run.port("sealing", ports.sealing),
          sealAgain: run.port("sealAgain", ports.sealAgain),
          datasets: run.port("datasets", ports.datasets),
          shardQueue: run.port("shardQueue", ports.shardQueue),
          nodes: run.port("nodes", ports.nodes),
          registry: run.port("registry", ports.registry),
          instances: run.port("instances", ports.instances),
          orphans: run.port("orphans", ports.orphans),
          fleet: run.port("fleet", ports.fleet),
          budget: run.port("budget", ports.budget),
          teams,
          pools,
          now: run.now,
        });
        const failed = errors.map(({ part }) => part);
        if (failed.length > 0)
          throw new FleetError("tick", `these parts failed: ${failed.join(", ")}`, { retry: true, cause: errors[0]?.error });
      }),
    );
  };

  /** Throws a FleetError if the caller gets no response. */
  node = async (instance: string, call: NodeCall): Promise<NodeAnswer> => {
    const { ports, pools } = this.#world;
    const ended = await this.#run("node", (run) =>
      handleNodeCall(
        {
          ...ringing(run, ports),
          ledger: run.port("ledger", ports.nodeLedger),
          access: run.port("access", ports.access),
          downloads: ports.downloads,
          maxLosses: (pool) => pools().find(({ name }) => name === pool)?.maxLosses,
          data: { datasets: run.port("datasets", ports.datasets), queue: run.port("queue", ports.shardQueue), bucket: datasetsBucket },
          now: run.now,
          places,
          liveLimits,
        },
        instance,
        call,
      ),
    );
    if (ended.kind === "done") return ended.value;
    if (ended.kind === "threw") throw new FleetError("node-call", inWords(ended.error), { retry: true, cause: ended.error });
    throw new FleetError("node-call", "the function was killed or timed out", { retry: true });
  };

  cancel = async (ref: JobRef): Promise<Handled> => {
    const { ports } = this.#world;
    return handled(
      await this.#run("api", (run) =>
        cancelJob(
          { ...ringing(run, ports), cancellations: run.port("cancellations", ports.cancellations), now: run.now },
          ref,
          "not wanted any more",
        ),
      ),
    );
  };

  addDataset = async (asked: NewDataset): Promise<Handled> => {
    const { ports, newId } = this.#world;
    return handled(
      await this.#run("api", (run) =>
        addDataset(
          {
            datasets: run.port("datasets", ports.datasets),
            queue: run.port("queue", ports.shardQueue),
            places: { datasetsBucket, dataBuckets: [] },
            now: run.now,
            newId,
          },
          asked,
        ),
      ),
    );
  };

  #run<T>(name: HandlerName, work: (run: Invocation) => Promise<T>): Promise<HandlerEnd<T>> {
    this.#world.invoked(name);
    const run = new Invocation(this.#world, { name, timeoutMs: timeouts[name] * 1000, isSwift: this.#world.isSwift(name) });
    return run.run(() => work(run));
  }
}

const ringing = (run: Invocation, { bell, lane }: Ports) => ({ bell: run.port("bell", bell), lane: run.port("lane", lane) });

const handled = ({ kind }: HandlerEnd<unknown>): Handled => (kind === "threw" ? "failed" : kind);
