import { describe, expect, it } from "vitest";
import { acrossPools, changed, noOverrides, type OverrideOrder, type Overrides } from "../../../lib/model/overrides/overrides.ts";
import { settingNames } from "../../../lib/model/overrides/settings.ts";
import { monday } from "../../fakes/builders.ts";
import { admitted, launched, type MakeLedger, newNode, placed } from "./arrange.ts";

const node = "i-0123456789abcdef0";
const orderedAs = (before: Overrides, order: OverrideOrder, by = "Admin/ada"): Overrides =>
  changed(before, order, { by, because: "new image", atMs: monday });

/** What admins have ordered about a pool is changed on the condition that it has not changed meanwhile. */
export const overridesContract = (make: MakeLedger): void => {
  describe("overrides", () => {
    it("a pool about which nothing was ordered has none, and decisions see none", async () => {
      const ledger = await make();
      expect(await ledger.overrides.get("gpu")).toEqual(noOverrides);
      expect(await ledger.decisions.load("gpu", monday)).not.toHaveProperty("overrides");
    });

    it("each change is seen by decisions of its pool and of no other", async () => {
      const ledger = await make();
      const paused = orderedAs(noOverrides, { kind: "pause" });
      const drained = orderedAs(paused, { kind: "drain", node, untilMs: monday + 1 });
      const emptied = orderedAs(drained, { kind: "drain-pool", untilMs: monday + 2 });
      const resumed = orderedAs(emptied, { kind: "resume" });
      for (const next of [paused, drained, emptied, resumed]) {
        expect(await ledger.overrides.replace("gpu", next)).toBe("done");
        expect(await ledger.overrides.get("gpu")).toEqual(next);
        expect((await ledger.decisions.load("gpu", monday)).overrides).toEqual(next);
      }
      expect(emptied).toMatchObject({ paused: { untilMs: monday + 2 } });
      expect(resumed).toMatchObject({ version: 4, nodes: { [node]: { by: "Admin/ada", untilMs: monday + 1 } } });
      expect(await ledger.overrides.get("cpu")).toEqual(noOverrides);
    });

    it("limits, budgets and a minimum that were set are read by decisions until they are unset", async () => {
      const ledger = await make();
      const set = orderedAs(noOverrides, { kind: "set", values: { gpus: 4, usdPerHour: 1.25 }, untilMs: monday + 9 });
      const more = orderedAs(set, { kind: "set", values: { usdPerDay: 10, whenSpent: "drain", minNodes: 2 } });
      const ofTeam = orderedAs(more, { kind: "set", team: "vision", values: { usdPerMonth: 3 } });
      const fewer = orderedAs(ofTeam, { kind: "unset", names: ["gpus", "whenSpent"] });
      const none = orderedAs(fewer, { kind: "unset", names: settingNames });
      const gone = orderedAs(none, { kind: "unset", team: "vision", names: ["usdPerMonth"] });
      for (const next of [set, more, ofTeam, fewer, none, gone]) {
        expect(await ledger.overrides.replace("gpu", next)).toBe("done");
        expect((await ledger.decisions.load("gpu", monday)).overrides).toEqual(next);
      }
      expect(fewer.settings).toMatchObject({
        usdPerHour: { value: 1.25, untilMs: monday + 9, by: "Admin/ada" },
        usdPerDay: { value: 10 },
        minNodes: { value: 2 },
      });
      expect(none).not.toHaveProperty("settings");
      expect(none).toMatchObject({ teams: { vision: { usdPerMonth: { value: 3 } } }, history: [{}, {}, { team: "vision" }, {}, {}] });
      expect(gone).not.toHaveProperty("teams");
    });

    it("limits that were set across pools are read by decisions of all pools, next to the overrides of each", async () => {
      const ledger = await make();
      expect(await ledger.decisions.load("gpu", monday)).not.toHaveProperty("widerOverrides");
      const set = orderedAs(noOverrides, { kind: "set", values: { usdPerHour: 40 }, untilMs: monday + 9 });
      const ofTeam = orderedAs(set, { kind: "set", team: "vision", values: { gpus: 3 } });
      for (const next of [set, ofTeam]) expect(await ledger.overrides.replace(acrossPools, next)).toBe("done");
      const paused = orderedAs(noOverrides, { kind: "pause" });
      await ledger.overrides.replace("gpu", paused);
      expect(await ledger.overrides.get(acrossPools)).toEqual(ofTeam);
      expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ overrides: paused, widerOverrides: ofTeam });
      const other = await ledger.decisions.load("cpu", monday);
      expect(other.widerOverrides).toEqual(ofTeam);
      expect(other).not.toHaveProperty("overrides");
    });

    it("a change that is not based on the newest version is not written", async () => {
      const ledger = await make();
      const paused = orderedAs(noOverrides, { kind: "pause" });
      expect(await ledger.overrides.replace("gpu", orderedAs(paused, { kind: "resume" }))).toBe("stale");
      expect(await ledger.overrides.replace("gpu", paused)).toBe("done");
      expect(await ledger.overrides.replace("gpu", orderedAs(noOverrides, { kind: "cordon", node }, "Admin/bob"))).toBe("stale");
      expect(await ledger.overrides.get("gpu")).toEqual(paused);
    });

    it("of ten changes at once exactly one is written", async () => {
      const ledger = await make();
      const written = await Promise.all(
        Array.from({ length: 10 }, (_, n) => ledger.overrides.replace("gpu", orderedAs(noOverrides, { kind: "pause" }, `Admin/${n}`))),
      );
      expect(written.filter((outcome) => outcome === "done")).toHaveLength(1);
    });

    it("the statistics of packing engines and the overrides of a pool do not affect each other", async () => {
      const ledger = await make();
      const { fence } = await ledger.decisions.begin("gpu");
      const learned = { small: { greedy: { tries: 1, reward: 1 } } };
      await ledger.placements.learn(fence, learned);
      await ledger.overrides.replace("gpu", orderedAs(noOverrides, { kind: "pause" }));
      expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ learned, overrides: { version: 1 } });
      await ledger.decisions.resetLearning("gpu");
      expect((await ledger.decisions.load("gpu", monday)).overrides?.version).toBe(1);
    });
  });

  describe("placements.undrain", () => {
    const atMs = monday + 120_000;
    const drain = { because: "Admin/ada drains it", untilMs: atMs + 600_000, ordered: true } as const;

    it("an ordered drain is dropped once, and the node keeps what it holds and gets attempts again", async () => {
      const ledger = await make();
      const { fence, node: held } = await placed(ledger);
      await ledger.placements.drain(fence, { node: held.id, drain, atMs });
      expect(await ledger.placements.undrain(fence, { node: held.id, drain, atMs: atMs + 1 })).toBe("done");
      expect(await ledger.placements.undrain(fence, { node: held.id, drain, atMs: atMs + 2 })).toBe("done");
      const now = await ledger.nodeLedger.get("gpu", held.id);
      expect(now).toMatchObject({ state: "ready", stateSinceMs: atMs + 1, assignments: [{ job: "train-1" }] });
      expect(now?.drain).toBeUndefined();
      const { entry } = await admitted(ledger, { job: "next" });
      expect(await ledger.placements.bind(fence, { entry, node: held, atMs })).toBe("done");
    });

    it("a drain that is not the expected one stays, and so does one of a node that EC2 may take back or that never called", async () => {
      const ledger = await make();
      const { fence, node: held } = await placed(ledger);
      await ledger.placements.drain(fence, { node: held.id, drain, atMs });
      for (const other of [
        { ...drain, untilMs: atMs },
        { because: drain.because, untilMs: drain.untilMs },
      ])
        expect(await ledger.placements.undrain(fence, { node: held.id, drain: other, atMs })).toBe("stale");
      await ledger.nodeLedger.noticed(held.id, { kind: "rebalance", atMs }, atMs);
      expect(await ledger.placements.undrain(fence, { node: held.id, drain, atMs })).toBe("stale");
      expect(await ledger.nodeLedger.get("gpu", held.id)).toMatchObject({ state: "draining", drain });
      const booting = newNode({ id: "i-0000000000000002" });
      await launched(ledger, fence, [booting]);
      await ledger.placements.drain(fence, { node: booting.id, drain, atMs });
      expect(await ledger.placements.undrain(fence, { node: booting.id, drain, atMs })).toBe("stale");
      expect(await ledger.placements.undrain(fence, { node: "i-00000000000000ff", drain, atMs })).toBe("stale");
    });

    it("a node that is ending or whose instance has ended is not brought back", async () => {
      const ledger = await make();
      const { fence, node: held } = await placed(ledger);
      await ledger.placements.drain(fence, { node: held.id, drain, atMs });
      await ledger.placements.terminating(fence, held.id, atMs);
      expect(await ledger.placements.undrain(fence, { node: held.id, drain, atMs })).toBe("stale");
      await ledger.nodeLedger.gone(held.id, atMs);
      expect(await ledger.placements.undrain(fence, { node: held.id, drain, atMs })).toBe("stale");
      expect((await ledger.nodeLedger.get("gpu", held.id))?.state).toBe("gone");
    });

    it("a notice of EC2 makes a node drain again whose drain was dropped", async () => {
      const ledger = await make();
      const { fence, node: held } = await placed(ledger);
      await ledger.placements.drain(fence, { node: held.id, drain, atMs });
      const notice = { kind: "interruption", atMs } as const;
      await Promise.all([
        ledger.placements.undrain(fence, { node: held.id, drain, atMs }),
        ledger.nodeLedger.noticed(held.id, notice, atMs),
      ]);
      expect(await ledger.nodeLedger.get("gpu", held.id)).toMatchObject({ state: "draining", notice });
    });
  });
};
