import fc from "fast-check";
import { expect, test } from "vitest";
import type { AttemptReport } from "../../events/node-call.ts";
import { noteInstance } from "../../lib/flows/note-instance.ts";
import { place } from "../../lib/flows/place.ts";
import type { Assignment } from "../../lib/model/node.ts";
import { aCatalogue, anOffer, aPool, aType } from "../fakes/builders.ts";
import { doomed } from "../unit/flows/crash.ts";
import { expectOneTruth } from "../unit/flows/one-truth.ts";
import { aWorld, type World } from "../unit/flows/world.ts";
import { expectWithinBudgets } from "./spending.ts";
import { stormRuns } from "./storm-runs.ts";

const four = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
const spot = anOffer({ usdPerHour: 1 });
const offers = [spot, anOffer({ market: "on-demand", usdPerHour: 1.9 }), anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1.8 })];
const catalogue = aCatalogue({ types: [aType(), four], offers });

/** Budgets, often none. A storm of an hour or two uses some of these up, or crosses midnight. */
const budgeted = fc.record({
  budgets: fc.constantFrom(undefined, undefined, { usdPerDay: 3 }, { usdPerDay: 9, usdPerMonth: 12 }),
  fromMs: fc.constantFrom(0, 23 * 3_600_000),
});

/** An event; numbers choose among what exists. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("submit" as const), spot: fc.boolean(), gpus: fc.constantFrom(0, 1, 1, 2) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("crash" as const), call: fc.integer({ min: 1, max: 20 }), before: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("two at once" as const), call: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      node: fc.nat(5),
      exitCode: fc.constantFrom(undefined, 0, 1),
      uploads: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("end" as const), node: fc.nat(5), notified: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("unknown" as const), how: fc.constantFrom("launched" as const, "not-launched" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("no capacity" as const), offer: fc.constantFrom(...offers) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("prices" as const), sold: fc.subarray(offers), factor: fc.constantFrom(0.5, 1, 3, 20) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(1, 5, 60, 200) }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

async function happen(world: World, what: Happening, number: number): Promise<void> {
  switch (what.kind) {
    case "submit":
      await world.submit(`job-${number}`, { spot: what.spot, gpus: what.gpus, retries: 2 });
      return;
    case "crash": {
      const process = doomed(world.placeDeps, { call: what.call, when: what.before ? "before" : "after" });
      await Promise.race([place(process.deps, { pool: world.pool, msLeft: () => 20_000 }), process.crashed]);
      return;
    }
    case "two at once": {
      let other: Promise<unknown> = Promise.resolve();
      world.ledger.wire.before(
        "decisions.isCurrent",
        () => {
          other = world.place();
        },
        what.call,
      );
      await world.place();
      await other;
      return;
    }
    case "call": {
      const node = world.nodes[what.node];
      if (node) await world.call(node.id, { attempts: node.assignments.map((held) => reportOf(held, what, world.nowMs)) });
      return;
    }
    case "end": {
      const node = world.nodes[what.node];
      if (!node) return;
      world.fleet.end(node.id);
      if (what.notified) await reportEnd(world, node.id);
      return;
    }
    case "unknown":
      world.fleet.unknownNext(what.how);
      return;
    case "no capacity":
      world.fleet.refuse(what.offer);
      return;
    case "prices": {
      const sold = what.sold.map((offer) => ({ ...offer, usdPerHour: offer.usdPerHour * what.factor }));
      world.ledger.table.catalogues.set("gpu", { ...catalogue, offers: sold });
      return;
    }
    case "pass":
      await world.pass(what.seconds);
  }
}

type Called = Extract<Happening, { kind: "call" }>;
const reportOf = ({ team, job, attempt, phase }: Assignment, { exitCode, uploads }: Called, startedAtMs: number): AttemptReport => {
  if (exitCode === undefined || phase === "placed") return { team, job, attempt, phase: "running", startedAtMs };
  return phase === "uploading" && !uploads
    ? { team, job, attempt, phase: "uploaded", startedAtMs }
    : { team, job, attempt, phase: "exited", startedAtMs, exitCode, uploads };
};

/** EC2's own event that an instance has ended. */
const reportEnd = (world: World, id: string) =>
  noteInstance(world.deps, {
    source: "aws.ec2",
    "detail-type": "EC2 Instance State-change Notification",
    time: "2026-06-01T00:00:00Z",
    detail: { "instance-id": id, state: "terminated" },
  });

/** Capacity and prices return, EC2 responds and reports every end, until nothing is open and all rests are over. */
async function calmDown(world: World): Promise<void> {
  for (const offer of offers) world.fleet.restock(offer);
  world.fleet.respondAgain();
  world.ledger.table.catalogues.set("gpu", catalogue);
  for (let n = 0; n < 9; n += 1) {
    await goOn(world, n % 2 === 0 ? 500 : 6);
    // A search for a launch's instances counts only reads that follow each other within minutes, as the wakes of `place` make them do.
    // A budget that renews meanwhile, or a late race, may open a launch in the last round.
    for (let minutes = 0; world.ledger.table.openLaunches.size > 0 && minutes < 30; minutes += 1) await goOn(world, 60);
  }
}

async function goOn(world: World, seconds: number): Promise<void> {
  for (const instance of world.fleet.instances.values()) if (instance.over) await reportEnd(world, instance.id);
  await world.place();
  await world.pass(seconds);
}

test("the ledger stays consistent and no job is lost, whatever happens and wherever place crashes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 5, maxLength: 40, size: "max" }),
      budgeted,
      async (happenings, { budgets, fromMs }) => {
        const world = aWorld({ pool: aPool({ limits: { usdPerHour: 8, gpus: 12 }, budgets }), catalogue });
        world.nowMs += fromMs;
        for (const [number, what] of happenings.entries()) {
          await happen(world, what, number);
          expect(world.reserved.usdPerHour).toBeLessThanOrEqual(8);
          expect(world.reserved.gpus).toBeLessThanOrEqual(12);
        }
        await calmDown(world);
        for (const decision of world.journal.decisions) expectWithinBudgets(decision.snapshot, decision.plan);
        expectOneTruth(world);
        const submitted = happenings.filter((what) => what.kind === "submit").length;
        expect(world.ledger.table.jobs.size).toBe(submitted);
        for (const job of world.ledger.table.jobs.values()) {
          if (job.state === "queued")
            expect(job.reason).toMatch(budgets ? / reserved; it starts when |of its budget/ : / reserved; it starts when /);
          // Every type is available all the time, so a job fails only by its own exit code.
          if (job.state === "failed") expect(job.reason).toMatch(/exit/);
        }
      },
    ),
    { numRuns: stormRuns(300) },
  );
}, 30_000);
