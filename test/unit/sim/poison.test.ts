import { describe, expect, test } from "vitest";
import { readSites } from "../../../lib/sim/faults/sites.ts";
import { memoryLedger } from "../../../lib/sim/memory/ledger.ts";
import { Spoiled, type SpoiledItem, spoiledKinds, withUnreadable } from "../../../lib/sim/memory/unreadable.ts";
import { runOnce } from "../../../lib/sim/run.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";
import { admitted, begin, plenty, readyNode } from "../../contract/suites/arrange.ts";
import { aLaunch, monday } from "../../fakes/builders.ts";

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const sites = readSites();
const scenario = Scenario.parse({
  calmMinutes: 240,
  pools: [{ name: "gpu", limits: { usdPerHour: 60, gpus: 40 } }],
  deployment: {},
  teamLimits: {},
  faults: { "table.unreadable": 1, "ec2.dry": 0.8, "ec2.no-boot": 0.15 },
});

test("whatever item becomes unreadable, everything else goes on, and all jobs end once it is repaired", async () => {
  const spoiled: string[] = [];
  for (let seed = 0; seed < 2 * spoiledKinds.length; seed += 1) {
    const seen = new Set<string>();
    const result = await runOnce({
      scenario,
      seed,
      sites,
      settled,
      plant: (_ports, world) => {
        const note = world.faults.count.bind(world.faults);
        world.faults.count = (kind, about) => {
          if (kind === "table.unreadable") seen.add(spoiledKinds.find((each) => about.startsWith(each)) ?? about);
          note(kind, about);
        };
        return {};
      },
    });
    expect(result.violation, `seed ${seed}`).toBeUndefined();
    spoiled.push(...seen);
  }
  expect(new Set(spoiled).size).toBeGreaterThan(spoiledKinds.length - 3);
}, 120_000);

/** Makes this item the only unreadable one. */
function only(spoiled: Spoiled, item: SpoiledItem): void {
  spoiled.clear();
  spoiled.add(item);
}

describe("an unreadable item in memory", () => {
  async function arrange() {
    const real = memoryLedger();
    const { entry } = await admitted(real, { job: "a" });
    const fence = await begin(real);
    const node = await readyNode(real, fence);
    const launch = aLaunch({ id: "l1", clientToken: "l1" });
    await real.placements.intend(fence, launch, plenty);
    const spoiled = new Spoiled();
    return { ledger: withUnreadable(real, spoiled), spoiled, entry, fence, node, launch };
  }

  test("a node, a launch and a queue entry are left out and named, and what they have reserved stays reserved", async () => {
    const { ledger, spoiled, node, launch } = await arrange();
    only(spoiled, { kind: "node", name: node.id, pool: "gpu" });
    expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ nodes: [], unreadable: [{ kind: "node", key: node.id }] });
    await expect(ledger.nodeLedger.get("gpu", node.id)).rejects.toThrow("broken");
    only(spoiled, { kind: "launch", name: launch.id, pool: "gpu", jobs: launch.jobs });
    expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ openLaunches: [], unreadable: [{ jobs: launch.jobs }] });
    only(spoiled, { kind: "queue entry", name: "vision/a", pool: "gpu" });
    expect(await ledger.decisions.waiting("gpu", monday)).toMatchObject({
      queue: [],
      unreadable: [{ kind: "queue entry", key: "vision/a" }],
    });
    expect((await ledger.decisions.state("gpu")).reserved.gpus).toBe(2);
  });

  test("a team's counter counts as full, its record of costs is unknown, and the pool's counter stops the pool", async () => {
    const { ledger, spoiled } = await arrange();
    only(spoiled, { kind: "team counter", name: "vision", team: "vision" });
    expect((await ledger.decisions.load("gpu", monday)).reservedWider.teams["vision"]).toEqual({ usdPerHour: 1e9, gpus: 1e9 });
    only(spoiled, { kind: "team costs", name: "gpu vision", pool: "gpu", team: "vision" });
    expect((await ledger.decisions.load("gpu", monday)).spent.teams).toMatchObject({ vision: { isUnknown: true } });
    expect((await ledger.decisions.load("other", monday)).unreadable).toBeUndefined();
    only(spoiled, { kind: "pool counter", name: "gpu", pool: "gpu" });
    await expect(ledger.decisions.begin("gpu")).rejects.toThrow("broken");
    await expect(ledger.decisions.load("gpu", monday)).rejects.toThrow("broken");
  });

  test("a job can neither be placed nor cancelled, and another catalogue replaces one that cannot be read", async () => {
    const { ledger, spoiled, entry, fence, node } = await arrange();
    only(spoiled, { kind: "job", name: "vision/a" });
    await expect(ledger.placements.bind(fence, { entry, node, atMs: monday })).rejects.toThrow("broken");
    expect((await ledger.decisions.waiting("gpu", monday)).queue).toHaveLength(1);
    expect(await ledger.placements.setAside(fence, entry)).toBe("done");
    expect(await ledger.decisions.waiting("gpu", monday)).toMatchObject({ queue: [], unreadable: [{ kind: "job", key: "vision/a" }] });
    await expect(ledger.cancellations.cancel(entry, { reason: "", atMs: monday })).rejects.toThrow("broken");
    only(spoiled, { kind: "catalogue", name: "gpu", pool: "gpu" });
    const catalogue = { types: [], offers: [], refreshedAtMs: monday };
    expect(await ledger.catalogues.get("gpu")).toBeUndefined();
    await ledger.catalogues.put("gpu", catalogue);
    expect(await ledger.catalogues.get("gpu")).toEqual(catalogue);
  });
});
