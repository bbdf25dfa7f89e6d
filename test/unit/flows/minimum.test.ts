import { describe, expect, test } from "vitest";
import { changeOverrides } from "../../../lib/flows/change-overrides.ts";
import { tick } from "../../../lib/flows/tick.ts";
import type { OverrideOrder } from "../../../lib/model/overrides/overrides.ts";
import { aCatalogue, anOffer, aPool, aType, monday } from "../../fakes/builders.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const give = (world: World, order: OverrideOrder) => changeOverrides(world.deps, "gpu", { order, by: "Admin/ada" });
const shared = (minNodes?: number) => aPool({ shared: true, idleSeconds: 60, ...(minNodes !== undefined && { minNodes }) });

/** Lets time pass while all workers call and the tick runs each minute. */
async function pass(world: World, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    world.nowMs += 60_000;
    for (const { id } of world.fleet.live) await world.call(id);
    await tick({ ...world.deps, teams: ["vision"] });
    await world.workOff();
  }
}

test("a pool at rest gets its configured minimum from the tick, keeps it while idle, and a job of any team starts on it without a launch", async () => {
  const world = aWorld({ pool: shared(2) });
  await pass(world, 1);
  expect(world.nodes).toHaveLength(2);
  expect(world.nodes.every(({ team }) => team === undefined)).toBe(true);
  await pass(world, 30);
  expect(world.fleet.requested).toHaveLength(1);
  await world.submit("a", { gpus: 1 });
  await world.workOff();
  expect(world.job("a")?.state).toBe("placed");
  expect(world.fleet.requested).toHaveLength(1);
  expectOneTruth(world);
});

test("a node of the minimum that EC2 ends is replaced, once", async () => {
  const world = aWorld({ pool: shared(1) });
  await pass(world, 1);
  const { id } = world.node;
  await pass(world, 2);
  world.fleet.end(id);
  await world.ledger.nodeLedger.gone(id, world.nowMs);
  await world.ringLater();
  await world.workOff();
  await pass(world, 3);
  expect(world.fleet.live.map((each) => each.id)).toEqual([expect.not.stringMatching(id)]);
  expect(world.fleet.requested).toHaveLength(2);
  expectOneTruth(world);
});

test("a minimum that an admin has set is launched at once, and ends with the idle time when it expires", async () => {
  const world = aWorld({ pool: shared() });
  await give(world, { kind: "set", values: { minNodes: 2 }, untilMs: world.nowMs + 600_000 });
  await world.workOff();
  expect(world.fleet.live).toHaveLength(2);
  await pass(world, 9);
  expect(world.fleet.live).toHaveLength(2);
  await pass(world, 3);
  expect(world.fleet.live).toEqual([]);
  expect(world.fleet.requested).toHaveLength(1);
  expectOneTruth(world);
});

test("a pool that is drained has no node, and gets its minimum again when it is resumed", async () => {
  const world = aWorld({ pool: shared(2) });
  await pass(world, 2);
  await give(world, { kind: "drain-pool", untilMs: world.nowMs + 600_000 });
  await world.workOff();
  await pass(world, 2);
  expect(world.fleet.live).toEqual([]);
  await give(world, { kind: "resume" });
  await world.workOff();
  expect(world.fleet.live).toHaveLength(2);
});

test("a launch for the minimum whose response was lost is repeated, and no second one is made", async () => {
  const world = aWorld({ pool: shared(2) });
  for (let n = 0; n < 3; n += 1) world.fleet.unknownNext("launched");
  await pass(world, 4);
  expect(world.fleet.live).toHaveLength(2);
  expect(world.ledger.table.settledLaunches.size).toBe(1);
  expect(world.nodes).toHaveLength(2);
  expectOneTruth(world);
});

test("a pool whose minimum EC2 refuses asks again when the offer has rested, not in every decision", async () => {
  const world = aWorld({ pool: shared(1) });
  const [offer] = world.ledger.table.catalogues.get("gpu")?.offers ?? [];
  if (!offer) throw new Error("there is no offer");
  world.fleet.refuse(offer);
  await pass(world, 1);
  expect(world.fleet.requested).toHaveLength(1);
  await pass(world, 1);
  expect(world.fleet.requested).toHaveLength(1);
  expect((await world.ledger.decisions.state("gpu")).busy).toBe(true);
});

describe("a job that needs all that the limits allow", () => {
  const large = anOffer({ instanceType: "g5.48xlarge", usdPerHour: 5 });
  const dearer = { ...large, market: "on-demand", usdPerHour: 19.5 } as const;
  const eight = { name: "g5.48xlarge", resources: { vcpus: 192, memoryGiB: 768, gpus: 8 } };
  const sold = aCatalogue({ types: [aType(), aType(eight)], offers: [anOffer(), large, dearer], refreshedAtMs: monday + 86_400_000 });

  /** Lets time pass as above, with all messages that come due between two ticks. */
  async function passSlowly(world: World, minutes: number): Promise<void> {
    for (let turn = 0; turn < minutes * 3; turn += 1) {
      world.nowMs += 20_000;
      for (const { id } of world.fleet.live) await world.call(id);
      if (turn % 3 === 0) await tick({ ...world.deps, teams: ["vision"] });
      for (const name of world.lane.due(20)) await world.ringLater(name);
      await world.workOff();
    }
  }
  const launchesFor = (world: World, name: string) =>
    world.fleet.requested.filter(({ types }) => types.some((type) => type.name === name)).length;

  test.each([
    ["GPUs", { usdPerHour: 40, gpus: 8 }],
    ["dollars", { usdPerHour: 20, gpus: 64 }],
  ] as const)(
    "while EC2 has none for it, the minimum gives way once and stays away, and the job starts when EC2 has one, limited by %s",
    async (_, limits) => {
      const world = aWorld({ pool: aPool({ shared: true, idleSeconds: 60, minNodes: 2, limits }), catalogue: sold });
      world.fleet.refuse(large);
      world.fleet.refuse(dearer);
      await passSlowly(world, 3);
      expect(world.fleet.live).toHaveLength(2);
      await world.submit("large", { gpus: 8 });
      await passSlowly(world, 120);
      expect(world.fleet.live.length).toBeLessThan(2);
      expect(launchesFor(world, "g5.xlarge")).toBe(1);
      expect(launchesFor(world, "g5.48xlarge")).toBeGreaterThan(5);
      world.fleet.restock(large);
      await passSlowly(world, 60);
      expect(world.job("large")?.state).toBe("placed");
      expectOneTruth(world);
    },
  );
});
