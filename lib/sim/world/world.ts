import { type DatasetRef, sourceUrl } from "../../model/dataset.ts";
import { isEnded, type JobRef, jobName } from "../../model/job.ts";
import type { WiderLimits } from "../../model/limits.ts";
import type { Pool } from "../../model/pool.ts";
import { Admins } from "../admins/admins.ts";
import { scheduleAlarms } from "../faults/alarms.ts";
import { Chance } from "../faults/chance.ts";
import { scheduleExpiry } from "../faults/expiry.ts";
import { type FaultKind, Faults } from "../faults/faults.ts";
import { KillPlan } from "../faults/kill-plan.ts";
import { Outages } from "../faults/outages.ts";
import type { SimPorts } from "../faults/ports.ts";
import { ReachedLog } from "../faults/reached.ts";
import { scheduleSilences } from "../faults/silences.ts";
import type { Site } from "../faults/sites.ts";
import type { CpuMeter } from "../load/cpu-meter.ts";
import { ItemSizes } from "../load/item-sizes.ts";
import { TableLoad } from "../load/table-load.ts";
import { MemoryArtifacts } from "../memory/artifacts.ts";
import { MemoryDatasets, MemoryShardStore } from "../memory/datasets.ts";
import { MemoryOutboxes } from "../memory/islands/outboxes.ts";
import { memoryLedger } from "../memory/ledger.ts";
import { Spoiled } from "../memory/unreadable.ts";
import { SimClock } from "./clock.ts";
import { SimEc2 } from "./ec2.ts";
import type { Fact } from "./facts.ts";
import { scheduleFlood } from "./flood.ts";
import { datasetsBucket, Handlers, type Measured } from "./handlers.ts";
import type { SimMachine } from "./machine.ts";
import { bootMachine } from "./machine-world.ts";
import { schedulePoison, stillGoing } from "./poison.ts";
import { realPorts } from "./real-ports.ts";
import { portsOfFunctions } from "./rollout.ts";
import { poolsOf, ratesOf, type Scenario } from "./scenario.ts";
import type { WorldView } from "./seen.ts";
import { Story } from "./story.ts";
import { DirectCalls, queuesOf, type SimQueues } from "./wires.ts";
import { scheduleWorkload, type Workload, workloadOf } from "./workload.ts";

export type WorldOptions = {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly sites: readonly Site[];
  /** Only these faults happen; undefined for all. */
  readonly only?: ReadonlySet<FaultKind> | undefined;
  /** Plants a bug in the ports. */
  readonly plant?: ((ports: SimPorts, world: World) => Partial<SimPorts>) | undefined;
  readonly emit: (fact: Fact) => void;
  readonly meter?: CpuMeter | undefined;
  readonly measured?: Measured | undefined;
};

const tickMs = 60_000;

/** A deployment in virtual time: teams, queues, handlers, the table, EC2 and its machines. Everything follows from one seed. */
export class World {
  readonly clock: SimClock;
  readonly story: Story;
  readonly faults: Faults;
  readonly outages: Outages;
  readonly kills: KillPlan;
  readonly workload: Workload;
  readonly ledger = memoryLedger();
  readonly spoiled = new Spoiled();
  readonly reached = new ReachedLog(this.ledger.table);
  readonly sizes = new ItemSizes();
  readonly artifacts = new MemoryArtifacts();
  readonly outboxes = new MemoryOutboxes(this.artifacts.incoming, () => this.clock.nowMs);
  readonly datasets = new MemoryDatasets();
  readonly store = new MemoryShardStore(() => this.clock.nowMs);
  readonly pools: readonly Pool[];
  readonly limits: WiderLimits;
  readonly ec2: SimEc2;
  readonly handlers: Handlers;
  readonly machines = new Map<string, SimMachine>();
  /** The jobs whose messages SQS has accepted and that have not ended. */
  readonly #open = new Set<string>();
  readonly #options: WorldOptions;
  readonly #chance: Chance;
  readonly #queues: SimQueues;
  readonly #direct: DirectCalls;
  readonly #admins: Admins;
  /** The pools without those that were removed. */
  #configured: readonly Pool[];
  #ids = 0;

  constructor(options: WorldOptions) {
    const { scenario, seed, sites } = options;
    this.#options = options;
    this.clock = new SimClock(Date.parse(scenario.startsAt));
    this.story = new Story(() => this.clock.nowMs);
    this.#chance = new Chance(`${scenario.name} ${seed}`);
    this.workload = workloadOf(scenario, this.#chance.fork("workload"));
    const rates = ratesOf(scenario, this.#chance.fork("rates"));
    this.faults = new Faults({ rates, only: options.only, chance: this.#chance.fork("faults") }, (kind, about) => {
      this.story.note(`fault ${kind}`, about);
      this.reached.note(kind, about);
      options.emit({ kind: "fault", fault: kind });
    });
    this.outages = new Outages(scenario.outages, () => (this.clock.nowMs - Date.parse(scenario.startsAt)) / 60_000);
    this.kills = new KillPlan(
      { sites, chance: this.#chance.fork("dooms"), faults: this.faults, spanMs: scenario.minutes * 60_000 },
      (ms, arm) => void this.clock.after(ms, arm),
    );
    this.pools = poolsOf(scenario);
    for (const { name, spentBefore } of scenario.pools) this.ledger.table.spendBefore(name, spentBefore, this.clock.nowMs);
    this.#configured = this.pools;
    this.limits = { deployment: scenario.deployment, teams: scenario.teamLimits };
    this.ec2 = new SimEc2(
      {
        clock: this.clock,
        faults: this.faults,
        emit: options.emit,
        note: this.note,
        isIntended: ({ id }) => this.ledger.table.openLaunches.has(id),
        booted: (id, launch) =>
          bootMachine({ ...this.#machineParts(), machines: this.machines, scenario, chance: this.#chance }, { id, launch }),
        stopped: (id) => this.machines.get(id)?.powerOff(),
        ended: (id) => this.machines.get(id)?.halt(),
        announce: (event) => this.#direct.invoke(() => this.handlers.instance(event)),
        warned: (id, notice) => this.machines.get(id)?.warn(notice),
      },
      scenario,
    );
    this.#queues = queuesOf(
      { clock: this.clock, faults: this.faults, outages: this.outages, chance: this.#chance.fork("queues") },
      () => this.handlers,
    );
    this.#direct = new DirectCalls(this.clock);
    const { clock, pools, ledger, spoiled, sizes, artifacts, outboxes, datasets, store, ec2, outages } = this;
    const chance = this.#chance.fork("rollout");
    const stores = { ledger, spoiled, sizes, artifacts, outboxes, datasets, store };
    const parts = { ...stores, clock, scenario, pools, chance, ec2, outages, queues: this.#queues, emit: options.emit };
    const { present, next } = realPorts(parts);
    const planted = { ...present, ...options.plant?.(present, this) };
    const ports = portsOfFunctions(
      { present: planted, next },
      { rollout: scenario.rollout, chance, startMs: clock.nowMs, nowMs: () => clock.nowMs },
    );
    const swift = this.#chance.fork("swift");
    this.handlers = new Handlers({
      ...{ clock, outages, faults: this.faults, kills: this.kills, note: this.note },
      load: scenario.intensity > 0 ? new TableLoad(() => clock.nowMs, scenario.tableCapacity) : undefined,
      ...{ meter: options.meter, measured: options.measured, ports },
      pools: () => this.#configured,
      ...{ teams: scenario.teams, deadJobs: () => this.#queues.jobs.dead },
      nodeReader: ledger.nodeReader,
      spanMs: scenario.minutes * 60_000,
      limits: this.limits,
      newId: () => `id-${++this.#ids}`,
      isSwift: (handler) => swift.happens(handler === "node" ? 0.85 : 0.4),
      invoked: (handler) => options.emit({ kind: "invoked", handler }),
      taken: (outbox, { kind: how }) => options.emit({ kind: "taken", outbox, how }),
    });
    const seat = { clock, pools, table: ledger.table, machines: this.machines, handlers: this.handlers, redrive: () => this.redrive() };
    this.#admins = new Admins({ ...seat, chance: this.#chance.fork("admins") });
    this.ledger.table.onJob = (before, job) => {
      const name = jobName(job);
      if (isEnded(job.state)) this.#open.delete(name);
      this.story.note("job", name, before?.state ?? "new", "→", job.state, `#${job.attempt}`, job.reason ?? "");
      options.emit({ kind: "job", before, after: job });
    };
  }

  readonly note = (...parts: readonly unknown[]): void => this.story.note(...parts);

  /** Schedules everything that will happen. */
  begin(): void {
    const { clock } = this;
    const source = ({ team, dataset }: DatasetRef): string => sourceUrl({ bucket: datasetsBucket, prefix: `${team}/${dataset}/` });
    scheduleWorkload(this.workload, {
      after: (ms, then) => void clock.after(ms, then),
      send: (message) => this.#send(message),
      cancel: (ref) => this.#direct.insist(() => this.handlers.cancel(ref)),
      put: (dataset, shards) => void this.store.sources.set(source(dataset), shards),
      addDataset: (dataset) => this.#direct.insist(() => this.handlers.addDataset({ ...dataset, source: source(dataset) })),
      objectChanged: (key) => this.#queues.objects.send({ key }),
      removePool: (pool) => {
        this.note("pool", pool, "is removed from the configuration");
        this.#configured = this.#configured.filter(({ name }) => name !== pool);
      },
    });
    const { flood, minutes, minimum } = this.#options.scenario;
    const { nowMs } = clock;
    if (minimum) this.ledger.table.setMinimum(minimum.pool, { minNodes: minimum.nodes, untilMs: nowMs + minimum.minutes * 60_000 }, nowMs);
    if (flood)
      scheduleFlood(flood, {
        clock,
        handlers: this.handlers,
        insist: (call) => this.#direct.insist(call),
        accept: (ref) => this.#accept(ref),
        waiting: () => this.ledger.table.queue.values(),
        endsMs: minutes * 60_000,
      });
    scheduleSilences(this.#options.scenario, {
      after: (ms, then) => void clock.after(ms, then),
      chance: this.#chance.fork("silences"),
      machines: this.machines,
      zoneOf: (id) => (this.ec2.isLive(id) ? this.ec2.fleet.instances.get(id)?.zone : undefined),
      close: (zone) => this.ec2.close(zone),
      protect: (id, forMs) => this.ec2.protect(id, forMs),
      end: (id) => this.ec2.end(id),
    });
    scheduleExpiry(this, this.#chance.fork("expiry"));
    const { scenario } = this.#options;
    scheduleAlarms(scenario, clock, this.#chance.fork("alarms"), (change) => this.#direct.invoke(() => this.handlers.alarm(change)));
    this.ec2.begin();
    this.#admins.begin(this.#options.scenario.orders, minutes * 60_000);
    schedulePoison(this.#options.seed, { ...this.#options, clock, faults: this.faults, spoiled: this.spoiled, table: this.ledger.table });
    // A new deployment has no prices before its first tick.
    clock.after(this.#chance.fork("tick").between(0, 20_000), () => this.#tick());
  }

  /** Ends all faults, and restores machines that were frozen or had no network. */
  calmDown(): void {
    this.note("calm");
    this.faults.calmDown();
    this.ec2.calmDown();
    this.#admins.calmDown();
    for (const machine of this.machines.values()) machine.calmDown();
  }

  /** Redrives dead letters if the scenario says so, as an operator does after the alarm. Returns their number. */
  redrive(): number {
    if (!this.#options.scenario.redrive) return 0;
    return Object.values(this.#queues).reduce((sum, queue) => sum + queue.redrive(), 0);
  }

  /** True if everything is done that the unreadable item does not hold up. */
  get areOthersDone(): boolean {
    return !this.spoiled.item || stillGoing(this.#open, this.spoiled.item, this.seen) === undefined;
  }

  /** Reports what problems name. */
  async lookAtProblems(): Promise<void> {
    this.#options.emit({ kind: "problems", names: await this.handlers.problems() });
  }

  /** Makes the unreadable item readable again. */
  repair(): void {
    this.note("an operator repairs what cannot be read");
    this.spoiled.clear();
    this.#options.emit({ kind: "spoiled", item: undefined });
  }

  /** True if nothing is left to do: every job has ended, nothing waits to be sealed, and nothing is in progress. */
  get isAtRest(): boolean {
    const { table } = this.ledger;
    return (
      this.#direct.areOver &&
      this.#admins.areDone &&
      Object.values(this.#queues).every((queue) => queue.isEmpty) &&
      [table.openLaunches, table.nodes, table.sealingSince].every(({ size }) => size === 0) &&
      [...this.ec2.fleet.instances.values()].every(({ over }) => over) &&
      this.#open.size === 0
    );
  }

  /** How many machines hang, of instances that live. */
  get hung(): number {
    return [...this.machines].filter(([id, { hungSinceMs }]) => hungSinceMs !== undefined && this.ec2.isLive(id)).length;
  }

  get seen(): WorldView {
    const { ledger, ec2, artifacts, datasets, store, workload, pools, limits, clock } = this;
    return {
      nowMs: clock.nowMs,
      scenario: this.#options.scenario,
      unreadable: this.spoiled.item,
      deadLetters: Object.values(this.#queues).reduce((sum, { dead }) => sum + dead, 0),
      ...{ pools, limits, artifacts, datasets, store, workload },
      table: ledger.table,
      fleet: ec2.fleet,
      running: () => [...this.machines.values()].flatMap(({ running }) => running),
      machine: (instance: string) => this.machines.get(instance),
    };
  }

  #machineParts() {
    const { clock, faults, outages, note, store, workload, artifacts, outboxes, ec2, handlers } = this;
    const { emit } = this.#options;
    return { clock, faults, outages, note, emit, store, workload, artifacts, outboxes, ec2, handlers, queues: this.#queues };
  }

  #accept(ref: JobRef): void {
    const name = jobName(ref);
    if (!isEnded(this.ledger.table.jobs.get(name)?.state ?? "queued")) this.#open.add(name);
    this.#options.emit({ kind: "sent", team: ref.team, job: ref.job });
  }

  #send({ team, job, body }: { team: string; job: string; body: string }): void {
    this.#accept({ team, job });
    this.#queues.jobs.send({ team, body, messageId: `message-of-${job}`, sentAtMs: this.clock.nowMs });
  }

  #tick(): void {
    if (!this.outages.isOut("functions")) this.#direct.invoke(() => this.handlers.tick());
    this.clock.after(tickMs, () => this.#tick());
  }
}
