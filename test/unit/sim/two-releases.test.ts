import { describe, expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";
import { readSites } from "../../../lib/sim/faults/sites.ts";
import { memoryLedger } from "../../../lib/sim/memory/ledger.ts";
import { asNextRelease } from "../../../lib/sim/memory/next-release.ts";
import { Spoiled, withUnreadable } from "../../../lib/sim/memory/unreadable.ts";
import { runOnce } from "../../../lib/sim/run.ts";
import type { HandlerName } from "../../../lib/sim/world/handlers.ts";
import { portsOfFunctions } from "../../../lib/sim/world/rollout.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";
import { admitted, begin, firstCall, newNode, plenty } from "../../contract/suites/arrange.ts";
import { aLaunch, aRefusal, monday } from "../../fakes/builders.ts";

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const sites = readSites();
const scenario = Scenario.parse({ name: "two-releases", minutes: 8, rollout: { fromMinute: 1, untilMinute: 7, unknown: 0.3 } });

test("while functions of two releases run, no invariant is broken, and everything is done in the end", async () => {
  for (let seed = 0; seed < 12; seed += 1) {
    const { violation } = await runOnce({ scenario, seed, sites, settled });
    expect(violation, `seed ${seed}`).toBeUndefined();
  }
}, 60_000);

describe("the writes of the next release", () => {
  /** The same ledger as both releases see it. Every write of the next one is new to this one. */
  function releases() {
    const real = memoryLedger();
    const unknown = new Spoiled();
    return { next: asNextRelease(real, { unknown, writesNew: () => true }), present: withUnreadable(real, unknown), unknown };
  }

  test("a launch and its node that only the next release can read are named, until they are gone", async () => {
    const { next, present, unknown } = releases();
    const fence = await begin(present);
    await next.placements.intend(fence, aLaunch(), plenty);
    const launching = await present.decisions.load("gpu", monday);
    expect(launching).toMatchObject({ openLaunches: [], unreadable: [{ kind: "launch", jobs: aLaunch().jobs }] });
    const node = newNode();
    await next.placements.settle(fence, { launch: aLaunch(), nodes: [node], atMs: monday });
    expect(await present.decisions.load("gpu", monday)).toMatchObject({ nodes: [], unreadable: [{ kind: "node", key: node.id }] });
    await expect(present.nodeLedger.begin("gpu", node.id, monday)).rejects.toThrow("broken");
    expect((await next.decisions.load("gpu", monday)).nodes).toHaveLength(1);
    await firstCall(next, node, monday);
    await next.nodeLedger.noticed(node.id, { kind: "interruption", atMs: monday }, monday);
    await next.nodeLedger.gone(node.id, monday);
    await next.placements.removeNode(fence, node.id, monday);
    expect(unknown.items).toEqual([]);
  });

  test("a job's entry that only the next release can read is left out until the job is bound", async () => {
    const { next, present, unknown } = releases();
    const fence = await begin(present);
    const { entry } = await admitted(next);
    expect(await present.decisions.waiting("gpu", monday)).toMatchObject({ queue: [], unreadable: [{ kind: "queue entry" }] });
    const node = newNode();
    await next.placements.intend(fence, aLaunch(), plenty);
    await next.placements.settle(fence, { launch: aLaunch(), nodes: [node], atMs: monday });
    expect(await next.placements.bind(fence, { entry, node, atMs: monday })).toBe("done");
    expect(unknown.items.map(({ kind }) => kind)).toEqual(["node"]);
  });

  test("a gang's entry is readable again in its next attempt, and refusals and boot failures of the next release are left out", async () => {
    const { next, present, unknown } = releases();
    const fence = await begin(present);
    await next.capacity.change(aRefusal(), () => aRefusal());
    await next.placements.bootFailed(fence, { node: "i-1", instanceType: "g5.xlarge", zone: "us-east-1a", atMs: monday });
    const { refusals, bootFailures, unreadable } = await present.decisions.load("gpu", monday);
    expect([refusals, bootFailures, unreadable?.map(({ kind }) => kind)]).toEqual([[], [], ["refusal", "boot failure"]]);
    const { entry } = await admitted(next, { job: "gang" });
    await next.placements.bindGang(fence, { entry: { ...entry, nodes: 2 }, nodes: [], atMs: monday }).catch(() => undefined);
    expect(unknown.has("queue entry", "vision/gang")).toBe(true);
  });
});

describe("an update", () => {
  const ports = { present: "present", next: "next" };

  test("each function changes to the next release once, at a time of its own between the two minutes", () => {
    let nowMs = 0;
    const rollout = { fromMinute: 1, untilMinute: 8, unknown: 0 };
    const of = portsOfFunctions(ports, { rollout, chance: new Chance("x"), startMs: 1_000, nowMs: () => nowMs });
    const handlers: HandlerName[] = ["place", "node", "tick", "submit-jobs", "seal-artifact", "on-instance"];
    const updated = new Map<HandlerName, number>();
    for (nowMs = 0; nowMs < 10 * 60_000; nowMs += 1_000)
      for (const handler of handlers) {
        const name = of(handler);
        if (name === "next" && !updated.has(handler)) updated.set(handler, nowMs);
        expect(name === "next", `${handler} at ${nowMs}`).toBe(updated.has(handler));
      }
    expect(new Set(updated.values()).size).toBeGreaterThan(3);
    expect(Math.min(...updated.values())).toBeGreaterThanOrEqual(61_000);
    expect(Math.max(...updated.values())).toBeLessThanOrEqual(482_000);
    expect(updated.size).toBe(handlers.length);
  });

  test("without an update, every function has the present release", () => {
    const of = portsOfFunctions(ports, { rollout: undefined, chance: new Chance("x"), startMs: 0, nowMs: () => 1e12 });
    expect(of("place")).toBe("present");
  });
});
