import { describe, expect, it } from "vitest";
import { byTurn, type QueueEntry } from "../../../lib/model/job.ts";
import { aJob, aLaunch, aRefusal, aSpec, monday } from "../../fakes/builders.ts";
import { admitted, begin, launched, type MakeLedger, newNode, plenty, readyNode } from "./arrange.ts";

export const decisionsContract = (make: MakeLedger) =>
  describe("decisions", () => {
    it("a pool where nothing ever happened is loaded as empty", async () => {
      const { decisions } = await make();
      const state = { bell: 0, decidedThrough: 0, epoch: 0, reserved: { usdPerHour: 0, gpus: 0 }, busy: false };
      expect(await decisions.state("gpu")).toEqual(state);
      expect(await decisions.waiting("gpu", monday)).toEqual({ queue: [], queued: 0 });
      expect(await decisions.load("gpu", monday)).toEqual({
        reserved: { usdPerHour: 0, gpus: 0 },
        reservedWider: { deployment: { usdPerHour: 0, gpus: 0 }, teams: {} },
        spent: { dayUsd: 0, monthUsd: 0 },
        nodes: [],
        openLaunches: [],
        catalogue: undefined,
        refusals: [],
        bootFailures: [],
        silentEnds: [],
      });
    });

    it("only the newest decision of a pool may go on", async () => {
      const { decisions } = await make();
      const first = await decisions.begin("gpu");
      expect(await decisions.isCurrent(first.fence)).toBe(true);
      const second = await decisions.begin("gpu");
      expect(second.fence.epoch).toBeGreaterThan(first.fence.epoch);
      expect(await decisions.isCurrent(first.fence)).toBe(false);
      expect(await decisions.finish(first.fence, { ringsSeen: 9, busy: true, wakeAtMs: 1 })).toBe("fenced");
      expect(await decisions.finish(second.fence, { ringsSeen: 0, busy: false })).toBe("quiet");
      expect(await decisions.state("gpu")).toMatchObject({ decidedThrough: 0, epoch: second.fence.epoch, busy: false });
    });

    it("16 decisions that begin at once get an epoch each, and only the newest may write", async () => {
      const ledger = await make();
      const begun = await Promise.all(Array.from({ length: 16 }, () => ledger.decisions.begin("gpu")));
      const epochs = begun.map((each) => each.fence.epoch).sort((a, b) => a - b);
      expect(new Set(epochs).size).toBe(16);
      const finished = await Promise.all(
        begun.map((each) => ledger.decisions.finish(each.fence, { ringsSeen: each.ringsSeen, busy: false })),
      );
      expect(finished.filter((outcome) => outcome !== "fenced")).toHaveLength(1);
      const { entry } = await admitted(ledger);
      const held = await Promise.all(
        begun.map((each) => ledger.placements.hold(each.fence, { entry, reason: `epoch ${each.fence.epoch}` })),
      );
      expect(held.filter((outcome) => outcome === "done")).toHaveLength(1);
      expect(held.filter((outcome) => outcome === "fenced")).toHaveLength(15);
      expect((await ledger.sealing.get(entry))?.reason).toBe(`epoch ${epochs.at(-1)}`);
    });

    it("the next decision learns whether the pool is busy and what will wake it", async () => {
      const { bell, decisions } = await make();
      await bell.ring("gpu", "job");
      const first = await decisions.begin("gpu");
      expect(first).not.toHaveProperty("wakeAtMs");
      expect(await decisions.finish(first.fence, { ringsSeen: 1, busy: true, wakeAtMs: monday })).toBe("quiet");
      expect(await decisions.state("gpu")).toMatchObject({ busy: true, decidedThrough: 1 });
      const second = await decisions.begin("gpu");
      expect(second.wakeAtMs).toBe(monday);
      await bell.ring("gpu", "job");
      expect(await decisions.finish(second.fence, { ringsSeen: second.ringsSeen, busy: false })).toBe("rang");
      expect(await decisions.begin("gpu")).not.toHaveProperty("wakeAtMs");
    });

    it("the next decision learns when nodes were last looked up, and a decision that looked at none keeps that time", async () => {
      const { decisions } = await make();
      const first = await decisions.begin("gpu");
      expect(first).not.toHaveProperty("lookedAtMs");
      await decisions.finish(first.fence, { ringsSeen: 0, busy: true, lookedAtMs: monday });
      const second = await decisions.begin("gpu");
      expect(second.lookedAtMs).toBe(monday);
      await decisions.finish(second.fence, { ringsSeen: 0, busy: true });
      expect((await decisions.begin("gpu")).lookedAtMs).toBe(monday);
    });

    it("a queue of 200 jobs is loaded completely and in order", { timeout: 60_000 }, async () => {
      const { admissions, decisions } = await make();
      const jobs = Array.from({ length: 200 }, (_, n) =>
        aJob({ job: `job-${n}`, submittedAtMs: monday + ((n * 7919) % 601), spec: aSpec({ priority: (n % 5) - 2 }) }),
      );
      for (let at = 0; at < jobs.length; at += 50) await Promise.all(jobs.slice(at, at + 50).map((job) => admissions.admit(job)));
      const { queue } = await decisions.waiting("gpu", monday);
      expect(queue.map((entry) => entry.job)).toHaveLength(200);
      expect(new Set(queue.map((entry) => entry.job)).size).toBe(200);
      expect(queue).toEqual([...queue].sort((a: QueueEntry, b: QueueEntry) => byTurn(a, b)));
    });

    it("a decision loads all of its own pool and nothing of another", async () => {
      const ledger = await make();
      const { entry } = await admitted(ledger);
      await admitted(ledger, { job: "elsewhere", pool: "cpu" });
      const fence = await begin(ledger);
      const refusal = aRefusal();
      await ledger.capacity.change(refusal, () => refusal);
      const node = newNode();
      const launch = aLaunch({ id: "settled", clientToken: "settled" });
      await ledger.placements.intend(fence, launch, plenty);
      await ledger.placements.settle(fence, { launch, nodes: [node], atMs: monday });
      const open = aLaunch({ id: "open", clientToken: "open", team: undefined, reserved: { usdPerHour: 0.1, gpus: 1 } });
      await ledger.placements.intend(fence, open, plenty);
      const elsewhere = await begin(ledger, "cpu");
      await launched(ledger, elsewhere, [newNode({ id: "i-0000000000000009", pool: "cpu" })]);

      expect(await ledger.decisions.waiting("gpu", monday)).toEqual({ queue: [entry], queued: 1 });
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded).toEqual({
        reserved: { usdPerHour: 0.6, gpus: 2 },
        reservedWider: { deployment: { usdPerHour: 1.1, gpus: 3 }, teams: { vision: { usdPerHour: 1, gpus: 2 } } },
        spent: { dayUsd: 0, monthUsd: 0 },
        nodes: [node],
        openLaunches: [open],
        catalogue: undefined,
        refusals: [refusal],
        bootFailures: [],
        silentEnds: [],
        learned: undefined,
      });
    });

    it("what packings have taught is kept per pool until it is deleted, and a decision that was overtaken cannot change it", async () => {
      const { decisions, placements } = await make();
      const { fence } = await decisions.begin("gpu");
      const learned = { "jobs 1e2, shapes 1e1, whole, empty": { columns: { tries: 3, reward: 1.5 }, genetic: { tries: 1, reward: 0 } } };
      expect(await placements.learn(fence, learned)).toBe("done");
      expect((await decisions.load("gpu", monday)).learned).toEqual(learned);
      expect((await decisions.load("other", monday)).learned).toBeUndefined();
      const later = await decisions.begin("gpu");
      expect(await placements.learn(fence, {})).toBe("fenced");
      expect((await decisions.load("gpu", monday)).learned).toEqual(learned);
      expect(await placements.learn(later.fence, {})).toBe("done");
      expect((await decisions.load("gpu", monday)).learned).toEqual({});
      for (let n = 0; n < 2; n += 1) await decisions.resetLearning("gpu");
      expect((await decisions.load("gpu", monday)).learned).toBeUndefined();
    });

    it("a node is loaded with the attempts that it holds", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      for (const job of ["b", "a"]) {
        const { entry } = await admitted(ledger, { job });
        await ledger.placements.bind(fence, { entry, node, atMs: monday + 70_000 });
      }
      const [loaded] = (await ledger.decisions.load("gpu", monday)).nodes;
      expect(loaded?.assignments.map((each) => [each.job, each.attempt, each.phase])).toEqual([
        ["a", 1, "placed"],
        ["b", 1, "placed"],
      ]);
      expect(loaded?.lastBusyMs).toBe(monday + 70_000);
    });
  });
