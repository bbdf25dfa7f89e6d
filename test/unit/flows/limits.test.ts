import { describe, expect, test } from "vitest";
import { aCatalogue, aLaunch, anOffer, aPool } from "../../fakes/builders.ts";
import { aWorld, type World } from "./world.ts";

/** Reserves a launch of that price in another pool, as that pool's decision would. */
async function elsewhere(world: World, over: Partial<Parameters<typeof aLaunch>[0]> = {}): Promise<() => Promise<void>> {
  const { placements, decisions } = world.ledger;
  const { fence } = await decisions.begin("other");
  const launch = aLaunch({ id: "elsewhere", pool: "other", reserved: { usdPerHour: 1, gpus: 2 }, ...over });
  expect(await placements.intend(fence, launch, { pool: { usdPerHour: 100, gpus: 100 } })).toBe("done");
  return async () => {
    expect(await placements.settle(fence, { launch, nodes: [], atMs: world.nowMs })).toBe("done");
  };
}
const tick = async (world: World): Promise<void> => {
  const state = await world.ledger.decisions.state("gpu");
  if (state.busy) await world.ringLater();
  await world.workOff();
};

describe("a job with room in its pool", () => {
  test("a job waits at the limit of the whole deployment with that reason, and starts at the next tick after another pool made room", async () => {
    const world = aWorld();
    world.limits = { limits: { usdPerHour: 1.4 } };
    const release = await elsewhere(world, { team: "speech" });
    await world.submit("a");
    await world.workOff();
    expect(world.fleet.requested).toEqual([]);
    expect(world.job("a")).toMatchObject({
      state: "queued",
      reason:
        "the job needs $0.50/h more, and the whole deployment has at least $0.98/h of its $1.40/h reserved; it starts when other work ends, in any pool, or the limit is raised",
    });
    await release();
    await tick(world);
    expect(world.job("a")?.state).toBe("placed");
  });

  test("a job waits at its team's limit across all pools, whatever other teams have", async () => {
    const world = aWorld();
    world.limits = { teamLimits: { vision: { gpus: 2 }, speech: { gpus: 0 } } };
    const release = await elsewhere(world);
    await world.submit("a");
    await world.workOff();
    expect(world.job("a")?.reason).toBe(
      "the job needs 1 GPU more, and team vision has 2 of its 2 GPUs reserved; it starts when other work of the team ends, in any pool, or the limit is raised",
    );
    await release();
    await tick(world);
    expect(world.job("a")?.state).toBe("placed");
  });

  test("a job waits with the reason if another pool reached the limit during its decision", async () => {
    const world = aWorld();
    world.limits = { limits: { gpus: 2 } };
    await world.submit("a");
    world.ledger.wire.before("placements.intend", () => elsewhere(world), 1);
    await world.workOff();
    expect(world.fleet.requested).toEqual([]);
    expect(world.job("a")?.reason).toMatch(/^the job needs 1 GPU more, and the whole deployment has 2 of its 2 GPUs reserved;/);
    expect(world.ledger.table.reservedWider().deployment.gpus).toBe(2);
  });

  test("a job in a shared pool counts towards no team's limit", async () => {
    const world = aWorld({ pool: aPool({ shared: true }) });
    world.limits = { teamLimits: { vision: { gpus: 0 } } };
    await world.submit("a");
    await world.workOff();
    expect(world.job("a")?.state).toBe("placed");
    expect(world.ledger.table.reservedWider()).toEqual({ deployment: { usdPerHour: 0.5, gpus: 1 }, teams: {} });
  });
});

describe("lowered limits and risen prices", () => {
  test("lowered limits stop growth but not running work", async () => {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    world.limits = { limits: { usdPerHour: 0, gpus: 0 }, teamLimits: { vision: { usdPerHour: 0.1 } } };
    await world.ringLater();
    await world.pass(60);
    expect(world.job("a")?.state).toBe("placed");
    expect(world.fleet.live).toHaveLength(1);
  });

  test("a waiting job is held if no current offer is within the limits, and its reason names the limit", async () => {
    const world = aWorld();
    world.limits = { limits: { usdPerHour: 1 } };
    await world.submit("a");
    world.ledger.table.catalogues.set("gpu", aCatalogue({ offers: [anOffer({ usdPerHour: 1.5 })] }));
    await world.workOff();
    expect(world.job("a")).toMatchObject({
      state: "queued",
      reason: "the cheapest that fits, g5.xlarge, costs $1.50/h and 1 GPU, and the whole deployment is limited to $1/h",
    });
  });

  test("a new job that no offer within the limits holds is rejected", async () => {
    const world = aWorld();
    world.limits = { teamLimits: { vision: { gpus: 0 } } };
    expect(await world.submit("a")).toMatchObject({
      kind: "rejected",
      job: { reason: "the cheapest that fits, g5.xlarge, costs $0.50/h and 1 GPU, and team vision is limited to 0 GPUs across all pools" },
    });
    world.limits = { limits: { usdPerHour: 1, gpus: 2 } };
    expect(await world.submit("gang", { nodes: 3 })).toMatchObject({
      kind: "rejected",
      job: {
        reason: expect.stringMatching(/^3 of the cheapest that fits, g5.xlarge, costs \$1.50\/h and 3 GPUs, and the whole deployment/),
      },
    });
  });
});
