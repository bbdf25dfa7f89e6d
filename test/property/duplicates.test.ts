import fc from "fast-check";
import { expect, test } from "vitest";
import { place } from "../../lib/flows/place.ts";
import { submitJob } from "../../lib/flows/submit-job.ts";
import { generator } from "../../lib/local/ec2/behaviour/seeded.ts";
import { aPool } from "../fakes/builders.ts";
import { doomed } from "../unit/flows/crash.ts";
import { expectOneTruth } from "../unit/flows/one-truth.ts";
import { aWorld, type World } from "../unit/flows/world.ts";
import { stormRuns } from "./storm-runs.ts";

const jobs = Array.from({ length: 40 }, (_, n) => `job-${String(n).padStart(2, "0")}`);

/** Delivers a job's message in a batch whose handler may crash; decisions follow that may overlap and crash too. */
async function deliver(world: World, job: string, random: () => number): Promise<void> {
  const body = JSON.stringify({ id: job, command: ["python", "train.py"] });
  if (random() < 0.1) world.ledger.wire.loseResponseOf("admissions.admit");
  if (random() < 0.1) world.fleet.unknownNext("launched");
  const submission = { team: "vision", messageId: `message-${random()}`, body, sentAtMs: world.nowMs };
  await submitJob(world.submitDeps, submission).catch(() => undefined);
  if (random() < 0.2) {
    const process = doomed(world.placeDeps, { call: 1 + Math.floor(random() * 20), when: random() < 0.5 ? "before" : "after" });
    await Promise.race([place(process.deps, { pool: world.pool, msLeft: () => 20_000 }), process.crashed]);
  } else if (random() < 0.3) {
    await Promise.all([world.place(), world.place()]);
  }
}

test("1,000 messages of forty jobs make forty jobs and forty nodes, whatever crashes and overlaps", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 1 }), async (seed) => {
      const random = generator(seed);
      const world = aWorld({ pool: aPool({ limits: { usdPerHour: 1_000, gpus: 1_000 } }) });
      const messages = Array.from({ length: 1_000 }, (_, n) => jobs[n % jobs.length] ?? "");
      while (messages.length > 0) {
        const batch = messages.splice(Math.floor(random() * Math.max(1, messages.length - 10)), 10);
        await Promise.all(batch.map((job) => deliver(world, job, random)));
      }
      world.fleet.calm();
      await world.place();
      for (let n = 0; n < 6; n += 1) await world.pass(10);
      expectOneTruth(world);
      expect([...world.ledger.table.jobs.values()].map(({ job, state }) => `${job} ${state}`).sort()).toEqual(
        jobs.map((job) => `${job} placed`),
      );
      // All instances that ever existed, including those that ended.
      expect(world.fleet.instances.size).toBe(jobs.length);
      expect(new Set(world.fleet.requested.map((launch) => launch.clientToken)).size).toBe(
        new Set(world.fleet.requested.map(({ id }) => id)).size,
      );
    }),
    { numRuns: stormRuns(50) },
  );
}, 120_000);
