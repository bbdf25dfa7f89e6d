import fc from "fast-check";
import { expect, test } from "vitest";
import { place } from "../../lib/flows/place.ts";
import { attemptName, isEnded, type Job, jobName } from "../../lib/model/job.ts";
import { aCatalogue, anOffer, aPool } from "../fakes/builders.ts";
import { doomed } from "../unit/flows/crash.ts";
import { ModelWorker } from "../unit/flows/model-worker.ts";
import { cancel, interruption, onInstance, stateChange } from "../unit/flows/news.ts";
import { expectOneTruth } from "../unit/flows/one-truth.ts";
import { aWorld } from "../unit/flows/world.ts";
import { stormRuns } from "./storm-runs.ts";

const offers = ["us-east-1a", "us-east-1b"].map((zone, n) => anOffer({ zone, usdPerHour: 1 + n / 10 }));
const catalogue = aCatalogue({ offers });
const limits = { usdPerHour: 9, gpus: 8 };

const some = fc.nat(9);
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("submit" as const), nodes: fc.constantFrom(1, 2, 2, 3, 4) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("call" as const), instance: some }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("all call" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("begin" as const), instance: some }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("exit" as const), instance: some, exitCode: fc.constantFrom(0, 0, 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("vanish" as const), instance: some, notified: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("interruption" as const), instance: some }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), instance: some }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), job: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("crash" as const), call: fc.integer({ min: 1, max: 16 }), before: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("unknown" as const), how: fc.constantFrom("launched" as const, "not-launched" as const) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("place" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(1, 30, 60, 400) }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

class Storm {
  readonly #uploads: boolean;
  readonly world = aWorld({ pool: aPool({ limits, idleSeconds: 200 }), catalogue });
  readonly #workers = new Map<string, { readonly worker: ModelWorker; readonly process: string }>();
  #restarts = 0;
  readonly cancelled = new Set<string>();
  submitted = 0;
  /** How many gangs were ever seen with all their members running. */
  whole = 0;

  constructor(uploads: boolean) {
    this.#uploads = uploads;
  }

  get live(): readonly string[] {
    return this.world.fleet.live.map(({ id }) => id);
  }

  #of(id: string): { readonly worker: ModelWorker; readonly process: string } {
    const known = this.#workers.get(id) ?? { worker: this.#worker(id), process: "p1" };
    this.#workers.set(id, known);
    return known;
  }

  #worker = (id: string): ModelWorker => new ModelWorker(this.world, id, { uploads: this.#uploads });

  workerOf = (id: string): ModelWorker => this.#of(id).worker;

  async call(id: string): Promise<void> {
    const { worker, process } = this.#of(id);
    if (!(await worker.call({ process, address: `10.0.0.${[...this.#workers.keys()].indexOf(id)}` }))) this.world.fleet.end(id);
  }

  async happen(what: Happening): Promise<void> {
    const { world } = this;
    const id = "instance" in what ? this.live[what.instance % Math.max(1, this.live.length)] : undefined;
    switch (what.kind) {
      case "submit":
        await world.submit(`job-${this.submitted++}`, { nodes: what.nodes, retries: 1 });
        return;
      case "call":
        if (id) await this.call(id);
        return;
      case "all call":
        for (const each of this.live) {
          await this.call(each);
          this.workerOf(each).begin();
        }
        return;
      case "begin":
        if (id) this.workerOf(id).begin();
        return;
      case "exit":
        if (id) this.workerOf(id).end(what.exitCode);
        return;
      case "vanish":
        if (!id) return;
        world.fleet.end(id);
        if (what.notified) await onInstance(world, stateChange(id, "terminated"));
        return;
      case "interruption":
        if (id) await onInstance(world, interruption(id));
        return;
      case "restart":
        if (id) this.#workers.set(id, { worker: this.#worker(id), process: `restart-${++this.#restarts}` });
        return;
      case "cancel": {
        const outcome = await cancel(world, `job-${what.job}`);
        if (outcome.kind === "cancelled") this.cancelled.add(`job-${what.job}`);
        return;
      }
      case "crash": {
        const process = doomed(world.placeDeps, { call: what.call, when: what.before ? "before" : "after" });
        await Promise.race([place(process.deps, { pool: world.pool, msLeft: () => 20_000 }), process.crashed]);
        return;
      }
      case "unknown":
        world.fleet.unknownNext(what.how);
        return;
      case "place":
        await world.workOff();
        return;
      case "pass":
        world.nowMs += what.seconds * 1000;
        for (const _due of world.lane.due(what.seconds)) await world.ringLater();
    }
  }

  /** Checks what must hold at every moment. */
  check(): void {
    const { world } = this;
    const active = this.live.flatMap((id) => this.workerOf(id).active);
    for (const job of new Set(active.map(jobName))) {
      const attempts = active.filter((ref) => jobName(ref) === job);
      expect(new Set(attempts.map(attemptName)).size, `attempts of ${job} that run`).toBe(1);
      const { spec } = world.ledger.table.jobs.get(job) ?? {};
      expect(attempts.length).toBeLessThanOrEqual(spec?.nodes ?? 0);
      if (spec && spec.nodes > 1 && attempts.length === spec.nodes) this.whole += 1;
    }
    for (const job of world.ledger.table.jobs.values()) this.#checkMembers(job);
    expect(world.reserved.usdPerHour).toBeLessThanOrEqual(limits.usdPerHour);
    expect(world.reserved.gpus).toBeLessThanOrEqual(limits.gpus);
  }

  /** Checks that a gang has all its nodes or none, and that they are of one type and in one zone. */
  #checkMembers(job: Job): void {
    const count = job.spec?.nodes ?? 1;
    if (count === 1 || job.node === undefined) {
      expect(job.gang).toBeUndefined();
      return;
    }
    expect(job.gang).toHaveLength(count);
    expect(new Set(job.gang).size).toBe(count);
    expect(job.gang?.[0]).toBe(job.node);
    const nodes = this.world.nodes.filter((node) => job.gang?.includes(node.id));
    expect(new Set(nodes.map((node) => `${node.type.name} ${node.offer.zone}`)).size).toBeLessThanOrEqual(1);
    for (const node of nodes) {
      const held = node.assignments.find((each) => each.job === job.job && each.attempt === job.attempt);
      if (held) expect(job.gang?.indexOf(node.id)).toBe(held.rank);
      if (held?.phase === "uploading" && !this.#uploads) expect(held.rank, "the first alone uploads").toBe(0);
    }
  }

  /** EC2 responds and reports every end, workers call and their work ends well, until there is nothing left to do. */
  async calmDown(): Promise<void> {
    const { world } = this;
    world.fleet.respondAgain();
    for (let n = 0; n < 60; n += 1) {
      for (const { id, over } of world.fleet.instances.values()) if (over) await onInstance(world, stateChange(id, "terminated"));
      await world.ringLater();
      await world.workOff();
      for (const step of ["begin", "end", "rest"] as const) {
        for (const id of this.live) {
          await this.call(id);
          if (step === "begin") this.workerOf(id).begin();
          if (step === "end") this.workerOf(id).end(0);
        }
        this.check();
      }
      world.nowMs += 20_000;
    }
  }
}

test("gangs start whole, run one attempt at a time and end once, whatever happens to their members", async () => {
  let whole = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 10, maxLength: 70, size: "max" }), fc.boolean(), async (happenings, uploads) => {
      const storm = new Storm(uploads);
      const { world } = storm;
      for (const what of happenings) {
        await storm.happen(what);
        storm.check();
      }
      await storm.calmDown();
      expectOneTruth(world);
      expect(storm.live).toEqual([]);
      expect(world.ledger.table.jobs.size).toBe(storm.submitted);
      for (const job of world.ledger.table.jobs.values()) {
        expect(job.state, job.job).toBe(storm.cancelled.has(job.job) ? "cancelled" : job.failures > 1 ? "failed" : "sealing");
        expect(job.failures, "only its own exits count, and once for all members").toBeLessThanOrEqual(2);
        expect(isEnded(job.state) || job.exitCode === 0).toBe(true);
      }
      whole += storm.whole;
    }),
    { numRuns: stormRuns(300) },
  );
  expect(whole, "gangs seen with all members running").toBeGreaterThan(stormRuns(300));
}, 60_000);
