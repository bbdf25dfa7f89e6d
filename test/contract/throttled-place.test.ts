import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { ec2Client } from "../../lib/aws/clients/ec2.ts";
import { ec2Fleet } from "../../lib/aws/ec2/fleet.ts";
import type { TableAccess } from "../../lib/aws/table/access.ts";
import { createAdmissions } from "../../lib/aws/table/jobs/admissions.ts";
import { createCapacityMemory } from "../../lib/aws/table/pools/capacity-memory.ts";
import { createCatalogueStore } from "../../lib/aws/table/pools/catalogue-store.ts";
import { createDecisions } from "../../lib/aws/table/pools/decisions.ts";
import { createOverrides } from "../../lib/aws/table/pools/overrides.ts";
import { createPlacements } from "../../lib/aws/table/pools/placements.ts";
import { createRequestBudget } from "../../lib/aws/table/pools/request-budget.ts";
import { place } from "../../lib/flows/place.ts";
import { type BucketLimits, documentedLimits } from "../../lib/model/requests/request-limits.ts";
import { MemoryJournal } from "../../lib/sim/memory/journal.ts";
import { MemoryLane } from "../../lib/sim/memory/lane.ts";
import { aCatalogue, aJob, anOffer, aPool, aSpec } from "../fakes/builders.ts";
import { newTable } from "./dynamodb-ledger.ts";
import { aStage, type Ec2Stage } from "./ec2-stage.ts";

const tight: BucketLimits = { burst: 3, perSecond: 4 };
const pools = ["gpu", "cpu"].map((name) => aPool({ name, limits: { usdPerHour: 1_000, gpus: 1_000 } }));
const gangsAPool = 6;

let stage: Ec2Stage;
afterEach(() => stage.close());

/** Returns the handler of a pool with its own clients and table access, as each Lambda function has them. */
async function handler(access: TableAccess, launch: BucketLimits): Promise<(pool: (typeof pools)[number]) => Promise<unknown>> {
  const launchTemplates = Object.fromEntries(pools.map(({ name }) => [name, stage.template]));
  const deps = {
    decisions: createDecisions(access),
    placements: createPlacements(access, Date.now),
    capacity: createCapacityMemory(access),
    budget: createRequestBudget(access, "us-east-1", { ...documentedLimits, launch }),
    fleet: ec2Fleet({ ec2: ec2Client(stage.settings), name: "prod", launchTemplates, subnets: stage.subnets }),
    lane: new MemoryLane(),
    pools,
    catalogues: createCatalogueStore(access),
    overrides: createOverrides(access),
    journal: new MemoryJournal(),
    pause: async (ms: number) => pause(ms),
    random: Math.random,
    now: Date.now,
    newId: randomUUID,
    log: () => undefined,
  };
  return (pool) => place(deps, { pool, msLeft: () => 20_000 });
}

describe("two pools at once, with an EC2 that accepts three CreateFleet calls and then four per second", () => {
  test.each<[string, BucketLimits, number]>([
    ["the configured limits equal those of EC2, so that hardly a call is refused", tight, 3],
    ["the configured limits are far too high, so that a burst is refused and the pace goes down", documentedLimits.launch, 20],
  ])(
    "every gang gets its nodes once and no job notices the throttling if %s",
    { timeout: 120_000 },
    async (_what, believed, maxRefused) => {
      stage = await aStage({ behaviour: { requests: { CreateFleet: tight } } });
      const access = await newTable();
      const offers = stage.subnets.slice(0, 2).map(({ zone }, n) => anOffer({ zone, usdPerHour: 0.5 + n / 10 }));
      const admissions = createAdmissions(access);
      for (const { name } of pools) {
        await createCatalogueStore(access).put(name, aCatalogue({ offers }));
        // Each gang is a separate launch, and therefore a separate call.
        for (let n = 0; n < gangsAPool; n += 1)
          await admissions.admit(aJob({ job: `${name}-${n}`, pool: name, spec: aSpec({ nodes: 2 }) }));
      }
      const jobs = pools.length * gangsAPool;
      const { record } = stage.front;
      const left = async () =>
        (await Promise.all(pools.map(({ name }) => createDecisions(access).waiting(name, Date.now())))).flatMap(({ queue }) => queue);
      const places = await Promise.all(pools.map(async (pool) => ({ pool, decideFor: await handler(access, believed) })));
      while ((await left()).length > 0) {
        await Promise.all(places.map(({ pool, decideFor }) => decideFor(pool)));
        await pause(50);
      }
      expect(record.instances).toHaveLength(2 * jobs);
      const outcomes = record.fleetCalls.map(({ outcome }) => (outcome.kind === "failed" ? outcome.code : outcome.kind));
      expect(outcomes, stage.troubles.join("\n")).toEqual(Array.from({ length: jobs }, () => "answered"));
      expect(record.refusedRequests.get("CreateFleet") ?? 0).toBeLessThanOrEqual(maxRefused);
    },
  );
});
