import { decide } from "../../../lib/decide/decide.ts";
import { jobName, type QueueEntry } from "../../../lib/model/job.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Snapshot, Step } from "../../../lib/model/plan.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { wantsOf } from "../../../lib/model/wants.ts";
import { seeded } from "../../../lib/optimizer/engines/random.ts";
import { aPool, aSnapshot } from "../../fakes/builders.ts";
import type { Memory } from "./memories.ts";
import { type ScarceEc2, scarceEc2 } from "./scarce-ec2.ts";

const minute = 60_000;
const bootMs = 90_000;
const teams = ["audio", "text", "vision"];

/** The wants of jobs: most accept any GPU, some need a certain model or a large node, some refuse spot. */
const wishes: readonly Pick<QueueEntry, "needs" | "gpu" | "spot">[] = [
  { needs: { vcpus: 4, memoryGiB: 16, gpus: 1 }, gpu: { memoryGiB: 0, models: [] }, spot: true },
  { needs: { vcpus: 4, memoryGiB: 16, gpus: 1 }, gpu: { memoryGiB: 20, models: [] }, spot: true },
  { needs: { vcpus: 4, memoryGiB: 16, gpus: 1 }, gpu: { memoryGiB: 20, models: [] }, spot: false },
  { needs: { vcpus: 4, memoryGiB: 16, gpus: 1 }, gpu: { memoryGiB: 0, models: ["A10G", "L4"] }, spot: true },
  { needs: { vcpus: 4, memoryGiB: 16, gpus: 1 }, gpu: { memoryGiB: 40, models: [] }, spot: true },
  { needs: { vcpus: 16, memoryGiB: 64, gpus: 4 }, gpu: { memoryGiB: 0, models: [] }, spot: true },
];

const pools: readonly Pool[] = ["research", "nightly"].map((name) =>
  aPool({ name, families: ["g", "p"], limits: { usdPerHour: 2_000, gpus: 2_000 } }),
);

type Arrival = { readonly pool: string; readonly entry: QueueEntry; readonly runsMs: number };

/** The result of a day. A launch has failed if it brought no instance. */
export type Day = {
  readonly jobs: number;
  readonly placed: number;
  readonly launches: number;
  readonly failed: number;
  /** Per job, the time from its arrival to its node, or to the end of the day if it was not placed. */
  readonly waitsMs: readonly number[];
  readonly usd: number;
  readonly dryShare: number;
};

type Running = { node: Node; busyUntilMs: number };

/** Simulates one day of two pools and three teams with the product's own decisions. For one seed, only the memory may differ. */
export function day(seed: number, memory: Memory, { hours, jobs }: { readonly hours: number; readonly jobs: number }): Day {
  const lengthMs = hours * 60 * minute;
  const world = new World(scarceEc2(seed, lengthMs), memory, arrivalsOf(seed, { lengthMs, jobs }));
  world.run(lengthMs);
  return world.summary(lengthMs, jobs);
}

function arrivalsOf(seed: number, { lengthMs, jobs }: { lengthMs: number; jobs: number }): readonly Arrival[] {
  const of = seeded(seed + 77);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(of() * all.length)] as T;
  return Array.from({ length: jobs }, (_, n): Arrival => {
    const submittedAtMs = Math.floor(of() * lengthMs * 0.9);
    const entry = {
      ...pick(wishes),
      team: pick(teams),
      job: `job-${n}`,
      attempt: 1,
      priority: 0,
      submittedAtMs,
      nodes: 1,
      datasets: [],
      zones: [],
    };
    return { pool: pick(pools).name, entry, runsMs: Math.ceil(-Math.log(1 - of()) * 40 * minute) + minute };
  }).toSorted((a, b) => a.entry.submittedAtMs - b.entry.submittedAtMs);
}

class World {
  readonly #ec2: ScarceEc2;
  readonly #memory: Memory;
  readonly #arrivals: readonly Arrival[];
  readonly #runsMs: ReadonlyMap<string, number>;
  readonly #queues = new Map<string, QueueEntry[]>(pools.map(({ name }) => [name, []]));
  readonly #nodes = new Map<string, Map<string, Running>>(pools.map(({ name }) => [name, new Map()]));
  readonly #wakes = new Map<string, number>();
  readonly #waits = new Map<string, number>();
  #usd = 0;
  #launches = 0;
  #failed = 0;

  constructor(ec2: ScarceEc2, memory: Memory, arrivals: readonly Arrival[]) {
    this.#ec2 = ec2;
    this.#memory = memory;
    this.#arrivals = arrivals;
    this.#runsMs = new Map(arrivals.map(({ entry, runsMs }) => [jobName(entry), runsMs]));
  }

  run(lengthMs: number): void {
    let next = 0;
    for (let nowMs = this.#soonest(0, next); nowMs < lengthMs; nowMs = this.#soonest(nowMs, next)) {
      const rung = new Set([...this.#wakes].filter(([, atMs]) => atMs <= nowMs).map(([pool]) => pool));
      for (let arrival = this.#arrivals[next]; arrival && arrival.entry.submittedAtMs <= nowMs; arrival = this.#arrivals[next]) {
        this.#queues.get(arrival.pool)?.push(arrival.entry);
        rung.add(arrival.pool);
        next += 1;
      }
      for (const [pool, nodes] of this.#nodes) for (const each of nodes.values()) if (this.#moves(each, nowMs)) rung.add(pool);
      for (const pool of pools.filter(({ name }) => rung.has(name))) this.#place(pool, nowMs);
    }
  }

  summary(lengthMs: number, jobs: number): Day {
    const never = [...this.#queues.values()].flat().map(({ submittedAtMs }) => lengthMs - submittedAtMs);
    for (const nodes of this.#nodes.values()) for (const { node } of nodes.values()) this.#pay(node, lengthMs);
    return {
      jobs,
      placed: this.#waits.size,
      launches: this.#launches,
      failed: this.#failed,
      waitsMs: [...this.#waits.values(), ...never],
      usd: this.#usd,
      dryShare: this.#ec2.dryShare(lengthMs),
    };
  }

  #soonest(nowMs: number, next: number): number {
    const ends = [...this.#nodes.values()].flatMap((nodes) => [...nodes.values()].map((each) => nextOf(each)));
    const soon = [this.#arrivals[next]?.entry.submittedAtMs, ...this.#wakes.values(), ...ends].filter(
      (at) => at !== undefined && at > nowMs,
    );
    return Math.min(Number.POSITIVE_INFINITY, ...soon.filter((at) => at !== undefined));
  }

  /** Completes a boot or a job that is due. Returns true if that changes what can be decided. */
  #moves(each: Running, nowMs: number): boolean {
    const { node } = each;
    if (node.state === "launching" && node.launchedAtMs + bootMs <= nowMs) {
      each.node = { ...node, state: "ready", readyAtMs: nowMs };
      if (node.assignments.length > 0) each.busyUntilMs = nowMs + longest(node, this.#runsMs);
      return true;
    }
    if (node.state !== "ready" || node.assignments.length === 0 || each.busyUntilMs > nowMs) return false;
    each.node = { ...node, assignments: [], lastBusyMs: nowMs };
    return true;
  }

  #place(pool: Pool, nowMs: number): void {
    this.#wakes.delete(pool.name);
    // Like a run of `place`: decides again as long as its last decision changes what there is to decide.
    for (let rounds = 0; rounds < 50; rounds += 1) {
      const seen = this.#seen(pool, nowMs);
      const plan = decide(seen);
      for (const step of plan.steps) this.#take(step, seen);
      const again = plan.steps.some(({ kind }) => kind === "launch") || (plan.wakeAtMs !== undefined && plan.wakeAtMs <= nowMs);
      if (again) continue;
      if (plan.wakeAtMs !== undefined) this.#wakes.set(pool.name, plan.wakeAtMs);
      return;
    }
    this.#wakes.set(pool.name, nowMs + 2_000);
  }

  #seen(pool: Pool, nowMs: number): Snapshot {
    const nodes = [...(this.#nodes.get(pool.name)?.values() ?? [])].map(({ node }) => ({
      ...node,
      lastSeenMs: nowMs,
    }));
    const reserved = nodes.reduce(
      (sum, { offer, type }) => ({ usdPerHour: sum.usdPerHour + offer.usdPerHour, gpus: sum.gpus + type.resources.gpus }),
      { usdPerHour: 0, gpus: 0 },
    );
    const queue = this.#queues.get(pool.name) ?? [];
    return aSnapshot({
      nowMs,
      pool,
      reserved,
      queue,
      nodes,
      catalogue: this.#ec2.catalogue,
      refusals: this.#memory.seenBy(pool.name),
    });
  }

  #take(step: Step, seen: Snapshot): void {
    const { pool, nowMs } = seen;
    const nodes = this.#nodes.get(pool.name);
    if (step.kind === "bind") {
      const running = nodes?.get(step.node);
      if (!running) throw new Error(`no node ${step.node}`);
      const { node } = running;
      const { team, job, attempt } = step.entry;
      running.node = { ...node, assignments: [...node.assignments, { team, job, attempt, ...wantsOf(step.entry), phase: "running" }] };
      if (node.state === "ready") running.busyUntilMs = Math.max(running.busyUntilMs, nowMs + (this.#runsMs.get(jobName(step.entry)) ?? 0));
      this.#waits.set(jobName(step.entry), nowMs - step.entry.submittedAtMs);
      const queue = this.#queues.get(pool.name) ?? [];
      this.#queues.set(
        pool.name,
        queue.filter((entry) => entry !== step.entry),
      );
    } else if (step.kind === "launch") this.#launch(step, seen);
    else if (step.kind === "retire") {
      const gone = nodes?.get(step.node);
      if (gone) this.#pay(gone.node, nowMs);
      nodes?.delete(step.node);
    } else if (step.kind !== "hold" && step.kind !== "confirm") throw new Error(`a plan wants ${step.kind}: ${step.because}`);
  }

  #launch({ launch: wanted }: Extract<Step, { kind: "launch" }>, { pool, nowMs, refusals }: Snapshot): void {
    const id = `launch-${this.#launches}`;
    const launch = { ...wanted, id, clientToken: id, intendedAtMs: nowMs };
    const offers = this.#memory.claim(launch, { refusals, nowMs });
    if (offers.length === 0) return;
    this.#launches += 1;
    const outcome = this.#ec2.launch({ ...launch, offers }, nowMs);
    if (outcome.kind !== "launched" && outcome.kind !== "refused") throw new Error(outcome.kind);
    this.#memory.learn(launch, outcome, nowMs);
    if (outcome.kind === "refused") {
      this.#failed += 1;
      return;
    }
    for (const { id: node, instanceType, zone } of outcome.instances) {
      const offer = offers.find((each) => each.instanceType === instanceType && each.zone === zone);
      const type = launch.types.find(({ name }) => name === instanceType);
      if (!offer || !type) throw new Error(`unasked ${instanceType}`);
      const born = { launchedAtMs: nowMs, lastBusyMs: nowMs, stateSinceMs: nowMs };
      this.#nodes.get(pool.name)?.set(node, {
        node: { id: node, pool: pool.name, launch: id, team: launch.team, offer, type, state: "launching", ...born, assignments: [] },
        busyUntilMs: 0,
      });
    }
  }

  #pay({ offer, launchedAtMs }: Node, nowMs: number): void {
    this.#usd += (offer.usdPerHour * (nowMs - launchedAtMs)) / 3_600_000;
  }
}

const longest = ({ assignments }: Node, runsMs: ReadonlyMap<string, number>): number =>
  Math.max(...assignments.map((each) => runsMs.get(jobName(each)) ?? 0));

const nextOf = ({ node, busyUntilMs }: Running): number | undefined => {
  if (node.state === "launching") return node.launchedAtMs + bootMs;
  return node.assignments.length > 0 ? busyUntilMs : undefined;
};
