import fc from "fast-check";
import { expect, test } from "vitest";
import { jobName } from "../../lib/model/job.ts";
import { aCatalogue, anOffer, aPool } from "../fakes/builders.ts";
import { ModelWorker } from "../unit/flows/model-worker.ts";
import { cancel, interruption, onInstance, rebalance, stateChange } from "../unit/flows/news.ts";
import { expectOneTruth } from "../unit/flows/one-truth.ts";
import { aWorld } from "../unit/flows/world.ts";
import { stormRuns } from "./storm-runs.ts";

const spot = anOffer({ usdPerHour: 1 });
const catalogue = aCatalogue({ offers: [spot, anOffer({ market: "on-demand", usdPerHour: 1.9 })] });

const some = fc.nat(5);
/** An event; numbers choose among the living instances, or among the jobs. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("submit" as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("call" as const), instance: some }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("begin" as const), instance: some }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("exit" as const), instance: some, exitCode: fc.constantFrom(0, 1) }) },
  // EC2's notice arrives as an event, by the worker that reads it from the metadata, or not at all.
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("notice" as const),
      instance: some,
      of: fc.constantFrom("interruption" as const, "rebalance" as const),
      by: fc.constantFrom("event" as const, "worker" as const, "nobody" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("vanish" as const), instance: some, notified: fc.boolean() }) },
  // Events of any instance, ended or not, may arrive late and twice.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("late news" as const), instance: some }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("cancel" as const), job: fc.nat(8) }) },
  // EC2 does not respond to requests for an end for a while.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("deaf" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("lost call" as const), instance: some }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("place" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(1, 30, 60, 400) }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

class Storm {
  readonly #uploads: boolean;
  readonly world = aWorld({ pool: aPool({ limits: { usdPerHour: 6, gpus: 6 }, idleSeconds: 200 }), catalogue });
  readonly #workers = new Map<string, ModelWorker>();
  readonly cancelled = new Set<string>();
  submitted = 0;

  constructor(uploads: boolean) {
    this.#uploads = uploads;
  }

  /** The workers of the living instances. */
  get workers(): ModelWorker[] {
    return this.world.fleet.live.map(({ id }) => this.workerOf(id));
  }

  workerOf(id: string): ModelWorker {
    const worker = this.#workers.get(id) ?? new ModelWorker(this.world, id, { uploads: this.#uploads });
    this.#workers.set(id, worker);
    return worker;
  }

  async call(id: string, notice?: "interruption" | "rebalance"): Promise<void> {
    const wanted = await this.workerOf(id).call(notice ? { notice: { kind: notice, atMs: this.world.nowMs } } : {});
    if (!wanted) this.world.fleet.end(id);
  }

  async happen(what: Happening): Promise<void> {
    const { world } = this;
    const among = what.kind === "late news" ? [...world.fleet.instances.values()] : world.fleet.live;
    const chosen = "instance" in what ? among[what.instance % Math.max(1, among.length)] : undefined;
    const id = chosen?.id;
    const lives = id !== undefined && !chosen?.over;
    switch (what.kind) {
      case "submit":
        await world.submit(`job-${this.submitted++}`, { retries: 1 });
        return;
      case "call":
        if (lives) await this.call(id);
        return;
      case "begin":
        if (lives) this.workerOf(id).begin();
        return;
      case "exit":
        if (lives) this.workerOf(id).end(what.exitCode);
        return;
      case "notice":
        if (!lives) return;
        if (what.by === "event") await onInstance(world, what.of === "interruption" ? interruption(id) : rebalance(id));
        if (what.by === "worker") await this.call(id, what.of);
        return;
      case "vanish":
        if (!lives) return;
        world.fleet.end(id);
        if (what.notified) await onInstance(world, stateChange(id, "terminated"));
        return;
      case "late news":
        if (id === undefined) return;
        await onInstance(world, interruption(id));
        await onInstance(world, stateChange(id, "shutting-down"));
        if (!lives) await onInstance(world, stateChange(id, "terminated"));
        return;
      case "cancel": {
        const outcome = await cancel(world, `job-${what.job}`);
        if (outcome.kind === "cancelled") this.cancelled.add(`job-${what.job}`);
        return;
      }
      case "lost call":
        // The server has responded, but the worker never got the response.
        if (lives) await world.call(id, { attempts: [] });
        return;
      case "deaf":
        world.fleet.deafNext("terminate", 3);
        return;
      case "place":
        await world.workOff();
        return;
      case "pass":
        world.nowMs += what.seconds * 1000;
        for (const _due of world.lane.due(what.seconds)) await world.ringLater();
    }
  }

  /**
   * EC2 responds again and reports every end, workers call and their work ends, until nothing is left to do. This lasts
   * longer than a breaker's rest and than the longest pause after failures (480 s).
   */
  async calmDown(): Promise<void> {
    const { world } = this;
    world.fleet.calm();
    for (let n = 0; n < 100; n += 1) {
      for (const { id, over } of world.fleet.instances.values()) if (over) await onInstance(world, stateChange(id, "terminated"));
      await world.ringLater();
      await world.workOff();
      for (const { id } of world.fleet.live) {
        await this.call(id);
        this.workerOf(id).begin();
        await this.call(id);
        this.workerOf(id).end(0);
        await this.call(id);
        await this.call(id);
      }
      world.nowMs += 20_000;
    }
  }
}

test("no two attempts of a job run at once, whatever notices arrive, and cancelled jobs end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 60, size: "max" }), fc.boolean(), async (happenings, uploads) => {
      const storm = new Storm(uploads);
      const { world } = storm;
      for (const what of happenings) {
        await storm.happen(what);
        const active = storm.workers.flatMap((worker) => worker.active.map(jobName));
        expect(active.toSorted(), "each job once").toEqual([...new Set(active)].toSorted());
      }
      await storm.calmDown();
      expectOneTruth(world);
      expect(world.fleet.live).toEqual([]);
      for (const job of world.ledger.table.jobs.values()) {
        expect(job.state, job.job).toBe(storm.cancelled.has(job.job) ? "cancelled" : job.failures > 1 ? "failed" : "sealing");
        expect(job.failures, "only its own exits count").toBeLessThanOrEqual(2);
      }
      expect(world.ledger.table.jobs.size).toBe(storm.submitted);
    }),
    { numRuns: stormRuns(300) },
  );
}, 60_000);
