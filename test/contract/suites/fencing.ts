import { describe, expect, it } from "vitest";
import { aLaunch, anAssignment, monday } from "../../fakes/builders.ts";
import { admitted, begin, type MakeLedger, newNode, plenty, readyNode } from "./arrange.ts";

/** A decision that is not the newest cannot write anything. */
export const fencingContract = (make: MakeLedger) =>
  describe("the fence", () => {
    it("every write of an older decision is fenced, even if it would be stale or done", async () => {
      const ledger = await make();
      const { entry } = await admitted(ledger);
      const waits = await admitted(ledger, { job: "waits" });
      const old = await begin(ledger);
      const holding = await readyNode(ledger, old);
      const empty = await readyNode(ledger, old, { id: "i-0000000000000002" });
      const terminating = await readyNode(ledger, old, { id: "i-0000000000000003" });
      await ledger.placements.bind(old, { entry, node: holding, atMs: monday });
      await ledger.placements.terminating(old, terminating.id, monday);
      const open = aLaunch({ id: "open", clientToken: "open" });
      await ledger.placements.intend(old, open, plenty);
      const before = await ledger.decisions.load("gpu", monday);

      const fence = await begin(ledger);
      const { placements } = ledger;
      const atMs = monday + 1;
      const writes = {
        bind: placements.bind(old, { entry: waits.entry, node: empty, atMs }),
        "bind, done before": placements.bind(old, { entry, node: holding, atMs }),
        "bind, stale": placements.bind(old, { entry: { ...entry, job: "nobody" }, node: empty, atMs }),
        intend: placements.intend(old, aLaunch({ id: "new", clientToken: "new" }), plenty),
        "intend, done before": placements.intend(old, open, plenty),
        "intend, over the limit": placements.intend(old, aLaunch({ id: "dear", clientToken: "dear" }), {
          pool: { usdPerHour: 0, gpus: 0 },
        }),
        noteSearch: placements.recordSearch(old, { launch: open.id, search: { why: "it is old", fromMs: atMs, toMs: atMs } }),
        settle: placements.settle(old, { launch: open, nodes: [newNode({ id: "i-0000000000000009" })], atMs }),
        drain: placements.fenceIdle(old, empty.id, atMs),
        "drain, stale": placements.fenceIdle(old, holding.id, atMs),
        withdraw: placements.drain(old, { node: empty.id, drain: { because: "its life ends", untilMs: atMs }, atMs }),
        undrain: placements.undrain(old, { node: empty.id, drain: { because: "an order", untilMs: atMs }, atMs }),
        bootFailed: placements.bootFailed(old, { node: empty.id, instanceType: "g5.xlarge", zone: "us-east-1a", atMs }),
        healed: placements.healed(old, [empty.id]),
        terminating: placements.terminating(old, empty.id, atMs),
        "terminating, done before": placements.terminating(old, terminating.id, atMs),
        "terminating, unknown": placements.terminating(old, "i-00000000000000ff", atMs),
        forget: placements.removeNode(old, terminating.id, atMs),
        "forget, stale": placements.removeNode(old, holding.id, atMs),
        "forget, unknown": placements.removeNode(old, "i-00000000000000ff", atMs),
        takeBack: placements.takeBack(old, { node: holding.id, assignment: anAssignment(), reason: "lost", atMs }),
        rebind: placements.rebind(old, { attempt: anAssignment(), from: holding.id, node: empty, atMs }),
        fail: placements.fail(old, { attempt: waits.entry, failure: "never-fits", reason: "no", atMs }),
        "fail, unknown": placements.fail(old, { attempt: { ...waits.entry, job: "nobody" }, failure: "never-fits", reason: "no", atMs }),
        move: placements.move(old, { entry: waits.entry, to: "cpu", reason: "no" }),
        "move, stale": placements.move(old, { entry, to: "cpu", reason: "no" }),
        hold: placements.hold(old, { entry: waits.entry, reason: "no" }),
      };
      for (const [name, write] of Object.entries(writes)) expect(await write, name).toBe("fenced");
      expect(await ledger.decisions.load("gpu", monday)).toEqual(before);
      expect((await ledger.decisions.waiting("cpu", monday)).queue).toEqual([]);
      expect(await ledger.placements.fenceIdle(fence, empty.id, atMs)).toBe("done");
    });

    it("a decision of one pool does not fence those of another", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      await begin(ledger, "cpu");
      await begin(ledger, "cpu");
      const { entry } = await admitted(ledger);
      expect(await ledger.placements.hold(fence, { entry, reason: "waits" })).toBe("done");
    });

    it("only one of two decisions that race for the same job and reservation gets them", async () => {
      const ledger = await make();
      const { entry } = await admitted(ledger);
      const first = await begin(ledger);
      const node = await readyNode(ledger, first);
      const other = await readyNode(ledger, first, { id: "i-0000000000000002" });
      const [second, ...byFirst] = await Promise.all([
        begin(ledger),
        ledger.placements.bind(first, { entry, node, atMs: monday }),
        ledger.placements.intend(first, aLaunch({ id: "first", clientToken: "first" }), { pool: { usdPerHour: 1.5, gpus: 3 } }),
      ]);
      const bySecond = [
        await ledger.placements.bind(second, { entry, node: other, atMs: monday }),
        await ledger.placements.intend(second, aLaunch({ id: "second", clientToken: "second" }), { pool: { usdPerHour: 1.5, gpus: 3 } }),
      ];
      expect([byFirst[0], bySecond[0]]).toSatisfy((bound: string[]) => ["done,stale", "fenced,done"].includes(bound.join()));
      expect([byFirst[1], bySecond[1]]).toSatisfy((intended: string[]) => ["done,limit", "fenced,done"].includes(intended.join()));
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 1.5, gpus: 3 });
    });
  });
