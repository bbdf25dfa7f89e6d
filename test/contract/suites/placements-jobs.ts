import { describe, expect, it } from "vitest";
import { loadPool } from "../../../lib/flows/pool/load-pool.ts";
import type { QueueEntry } from "../../../lib/model/job.ts";
import { phaseEndsAtMs } from "../../../lib/model/values/attempt-times.ts";
import { aJob, anAssignment, anEntry, aSpec, monday } from "../../fakes/builders.ts";
import {
  admitted,
  begin,
  callAt,
  longAfter,
  type MakeLedger,
  nodeAt,
  only,
  placed,
  readyNode,
  reportedOn,
  sealing,
  takeBackLost,
} from "./arrange.ts";

const atMs = monday + 61_000;

/** bind, takeBack, move, fail and hold: the writes of `place` about jobs. */
export const jobPlacementsContract = (make: MakeLedger) => {
  describe("placements.bind", () => {
    it("binding takes the job out of the queue and gives it to the node", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      const loaded = await loadPool(ledger, "gpu", monday);
      expect(loaded.queue).toEqual([]);
      expect(only(loaded.nodes).assignments).toEqual([anAssignment({ untilMs: phaseEndsAtMs("placed", atMs, 0) })]);
      expect(only(loaded.nodes).lastBusyMs).toBe(atMs);
      expect(await ledger.sealing.get(job)).toEqual({ ...job, state: "placed", node: node.id });
      expect(await ledger.placements.bind(fence, { entry: anEntry(), node, atMs })).toBe("done");
      expect((await ledger.nodeLedger.get("gpu", node.id))?.assignments).toHaveLength(1);
    });

    it("the time until a job that had to wait runs counts from when it is bound, and that of another job from its message", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      const { entry } = await admitted(ledger, { job: "held" });
      await ledger.placements.hold(fence, { entry, reason: "a limit" });
      const [held] = (await loadPool(ledger, "gpu", monday)).queue;
      if (!held) throw new Error("nothing waits");
      expect(await ledger.placements.bind(fence, { entry: held, node, atMs })).toBe("done");
      expect((await ledger.nodeLedger.get("gpu", node.id))?.assignments).toMatchObject([
        { job: "held", waitsSinceMs: atMs },
        { job: "train-1", waitsSinceMs: monday },
      ]);
    });

    it("binding is stale if another node has the job, the attempt is old, or the job does not exist", async () => {
      const ledger = await make();
      const { fence } = await placed(ledger);
      const other = await readyNode(ledger, fence, { id: "i-0000000000000002" });
      expect(await ledger.placements.bind(fence, { entry: anEntry(), node: other, atMs })).toBe("stale");
      expect(await ledger.placements.bind(fence, { entry: anEntry({ job: "nobody" }), node: other, atMs })).toBe("stale");
      const { entry } = await admitted(ledger, { job: "next" });
      expect(await ledger.placements.bind(fence, { entry: { ...entry, attempt: 2 }, node: other, atMs })).toBe("stale");
      expect((await ledger.nodeLedger.get("gpu", other.id))?.assignments).toEqual([]);
    });

    it("nothing is bound to a node that is unknown, of another team, draining, terminating or gone", async () => {
      const ledger = await make();
      const { entry, job } = await admitted(ledger);
      const fence = await begin(ledger);
      const foreign = await readyNode(ledger, fence, { id: "i-0000000000000002", team: "speech" });
      const draining = await readyNode(ledger, fence, { id: "i-0000000000000003" });
      const terminating = await readyNode(ledger, fence, { id: "i-0000000000000004" });
      const gone = await readyNode(ledger, fence, { id: "i-0000000000000005" });
      await ledger.placements.fenceIdle(fence, draining.id, atMs);
      await ledger.placements.terminating(fence, terminating.id, atMs);
      await ledger.nodeLedger.gone(gone.id, atMs);
      for (const node of ["i-00000000000000ff", foreign.id, draining.id, terminating.id, gone.id]) {
        expect(await ledger.placements.bind(fence, { entry, node: nodeAt(node), atMs }), node).toBe("stale");
      }
      expect(await ledger.sealing.get(job)).toEqual(job);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([entry]);
    });

    it("a job of any team can be bound to a shared node", async () => {
      const ledger = await make();
      const { entry } = await admitted(ledger);
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence, { team: undefined });
      expect(await ledger.placements.bind(fence, { entry, node, atMs })).toBe("done");
    });

    it("a job is bound to only one of two nodes that race for it", async () => {
      const ledger = await make();
      const { entry, job } = await admitted(ledger);
      const fence = await begin(ledger);
      const ids = ["i-0000000000000001", "i-0000000000000002", "i-0000000000000003", "i-0000000000000004"];
      for (const id of ids) await readyNode(ledger, fence, { id });
      const outcomes = await Promise.all(ids.map((node) => ledger.placements.bind(fence, { entry, node: nodeAt(node), atMs })));
      expect(outcomes.filter((outcome) => outcome === "done")).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === "stale")).toHaveLength(3);
      const holding = (await ledger.decisions.load("gpu", monday)).nodes.filter((node) => node.assignments.length > 0);
      expect(only(holding).id).toBe((await ledger.sealing.get(job))?.node);
    });

    it("32 jobs are bound to one node at the same time while its worker calls and reports", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      const entries = await Promise.all(Array.from({ length: 32 }, async (_, n) => (await admitted(ledger, { job: `job-${n}` })).entry));
      const on = reportedOn(node.id, monday + 70_000);
      const running = { from: "placed", to: "running", startedAtMs: monday + 65_000, failed: false } as const;
      const [changed, seen, ...bound] = await Promise.all([
        ledger.nodeLedger.change(on, { attempt: anAssignment(), job: running, assignment: "running" }),
        ledger.nodeLedger.seen("gpu", node.id, callAt(monday + 130_000)),
        ...entries.map((entry) => ledger.placements.bind(fence, { entry, node, atMs })),
      ]);
      expect(changed).toBe("done");
      expect(seen.kind).toBe("node");
      expect(new Set(bound)).toEqual(new Set(["done"]));
      const now = await ledger.nodeLedger.get("gpu", node.id);
      expect(now?.assignments).toHaveLength(33);
      expect(now?.assignments.filter((each) => each.phase === "running")).toMatchObject([
        { job: "train-1", phase: "running", process: "p1" },
      ]);
    });

    it("either a job is bound to a node or the node drains, never both", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      for (let n = 0; n < 8; n += 1) {
        const { entry } = await admitted(ledger, { job: `job-${n}` });
        const node = await readyNode(ledger, fence, { id: `i-000000000000000${n}` });
        const [bound, drained] = await Promise.all([
          ledger.placements.bind(fence, { entry, node, atMs }),
          ledger.placements.fenceIdle(fence, node.id, atMs),
        ]);
        expect([bound, drained].sort()).toEqual(["done", "stale"]);
      }
    });
  });

  describe("placements.takeBack", () => {
    it("a job that is taken back waits again as its next attempt, with its old turn", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger, { spec: aSpec({ priority: 3 }), failures: 1 });
      await ledger.nodeLedger.gone(node.id, atMs);
      const back = { node: node.id, assignment: anAssignment(), reason: "lost i-1", atMs: monday + 99_000 };
      expect(await ledger.placements.takeBack(fence, back)).toBe("done");
      expect(await ledger.placements.takeBack(fence, back)).toBe("done");
      const { queue, nodes } = await loadPool(ledger, "gpu", monday);
      expect(queue).toEqual([anEntry({ priority: 3, attempt: 2, reason: "lost i-1" })]);
      expect(only(nodes)).toMatchObject({ state: "gone", assignments: [], lastBusyMs: monday + 99_000 });
      const now = await ledger.sealing.get(job);
      expect(now).toMatchObject({ state: "queued", attempt: 2, failures: 1, reason: "lost i-1" });
      expect(now?.node).toBeUndefined();
    });

    it("an attempt whose order was handed out is taken back only when the instance has ended, however long ago that was", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      expect(await ledger.nodeLedger.handOut("gpu", node.id, [anAssignment()], atMs)).toMatchObject([{ job: "train-1", attempt: 1 }]);
      const back = { node: node.id, assignment: anAssignment(), reason: "lost", atMs: atMs + 30 * 86_400_000 };
      expect(await ledger.placements.takeBack(fence, back)).toBe("stale");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed", attempt: 1, node: node.id });
      expect((await ledger.nodeLedger.get("gpu", node.id))?.assignments).toMatchObject([{ orderedAtMs: atMs }]);
      expect(await ledger.placements.gone(fence, node.id, { atMs })).toBe("done");
      expect(await ledger.placements.takeBack(fence, back)).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", attempt: 2 });
    });

    it("an attempt whose order was never handed out is taken back at once, and is not handed out any more", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      const back = { node: node.id, assignment: anAssignment(), reason: "its node did not boot", atMs };
      expect(await ledger.placements.takeBack(fence, back)).toBe("done");
      expect(await ledger.placements.takeBack(fence, back)).toBe("done");
      expect(await ledger.nodeLedger.handOut("gpu", node.id, [anAssignment()], atMs)).toEqual([]);
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", attempt: 2 });
    });

    it("an attempt is either taken back or handed out, never both", async () => {
      for (let n = 0; n < 4; n += 1) {
        const ledger = await make();
        const { fence, node } = await placed(ledger);
        const back = { node: node.id, assignment: anAssignment(), reason: "its node did not boot", atMs };
        const [taken, held] = await Promise.all([
          ledger.placements.takeBack(fence, back),
          ledger.nodeLedger.handOut("gpu", node.id, [anAssignment()], atMs),
        ]);
        expect([taken, held.length]).toEqual(held.length > 0 ? ["stale", 1] : ["done", 0]);
      }
    });

    it("taking a job back from a lost node counts a loss, and fails the job at the last loss that is allowed", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      await ledger.nodeLedger.gone(node.id, atMs);
      const back = { node: node.id, assignment: anAssignment(), reason: "lost i-1", atMs, maxLosses: 2 };
      expect(await takeBackLost(ledger, fence, back)).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", attempt: 2, losses: 1, failures: 0 });
      const { queue } = await ledger.decisions.waiting("gpu", monday);
      const next = await readyNode(ledger, fence, { id: "i-0000000000000002" });
      expect(await ledger.placements.bind(fence, { entry: only(queue), node: next, atMs })).toBe("done");
      await ledger.nodeLedger.gone(next.id, atMs);
      const again = { ...back, node: next.id, assignment: anAssignment({ attempt: 2 }) };
      expect(await takeBackLost(ledger, fence, again)).toBe("done");
      expect(await takeBackLost(ledger, fence, again)).toBe("done");
      const failed = await ledger.sealing.get(job);
      expect(failed).toMatchObject({
        state: "failed",
        attempt: 2,
        losses: 2,
        endCode: "nodes-lost",
        endedAtMs: atMs,
        reason: expect.stringContaining("2 nodes were lost"),
      });
      expect(failed?.node).toBeUndefined();
      expect(await ledger.decisions.waiting("gpu", monday)).toMatchObject({ queue: [] });
      expect((await ledger.nodeLedger.get("gpu", next.id))?.assignments).toEqual([]);
    });

    it("taking back an attempt whose time was over counts as a failed run, which is retried as often as the job asks for", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger, { spec: aSpec({ retries: 1 }) });
      await ledger.nodeLedger.gone(node.id, atMs);
      const back = { node: node.id, assignment: anAssignment(), reason: "it ran too long", atMs, maxLosses: 1, overdue: true } as const;
      expect(await takeBackLost(ledger, fence, back)).toBe("done");
      expect(await takeBackLost(ledger, fence, back)).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", attempt: 2, failures: 1, reason: "it ran too long" });
      const next = await readyNode(ledger, fence, { id: "i-0000000000000002" });
      const { queue } = await ledger.decisions.waiting("gpu", monday);
      await ledger.placements.bind(fence, { entry: only(queue), node: nodeAt(next.id), atMs });
      await ledger.nodeLedger.gone(next.id, atMs);
      const again = { ...back, node: next.id, assignment: anAssignment({ attempt: 2 }) };
      expect(await takeBackLost(ledger, fence, again)).toBe("done");
      expect(await takeBackLost(ledger, fence, again)).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "failed", attempt: 2, failures: 2, reason: "it ran too long" });
    });

    it("what an attempt uploads after its job has failed still waits to be sealed when its node is lost", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      const on = reportedOn(node.id, monday);
      const ended = { from: "placed", to: "failed", reason: "exit code 1", exitCode: 1, startedAtMs: monday, failed: true } as const;
      const attempt = { team: job.team, job: job.job, attempt: 1 };
      expect(await ledger.nodeLedger.change(on, { attempt, job: ended, assignment: "uploading" })).toBe("done");
      const assignment = anAssignment({ phase: "uploading", process: "p1" });
      expect(await takeBackLost(ledger, fence, { node: node.id, assignment, reason: "lost", atMs: longAfter })).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "failed", attempt: 1 });
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([attempt]);
    });

    it("an attempt that only uploads is taken back", async () => {
      const ledger = await make();
      const { fence, node, job } = await sealing(ledger);
      const back = { node: node.id, assignment: anAssignment(), reason: "lost", atMs: longAfter };
      expect(await takeBackLost(ledger, fence, back)).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", attempt: 2 });
      expect(await ledger.sealing.waitingSince(monday + 1e9), "what it uploaded is kept").toMatchObject([{ job: job.job, attempt: 1 }]);
    });

    it("taking back frees the node of a job that has ended meanwhile, and does not change the job", async () => {
      const ledger = await make();
      const { fence, node, job } = await sealing(ledger);
      expect(await ledger.sealing.succeed(anAssignment(), {}, atMs)).toBe("done");
      expect(await takeBackLost(ledger, fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs: longAfter })).toBe(
        "done",
      );
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "succeeded", attempt: 1 });
      expect((await ledger.nodeLedger.get("gpu", node.id))?.assignments).toEqual([]);
    });

    it("taking back is stale for an attempt that ended otherwise before", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      const failed = { from: "placed", to: "failed", failure: "runs-failed", reason: "exit code 1", failed: true } as const;
      const attempt = { team: job.team, job: job.job, attempt: 1 };
      const change = { attempt, job: failed, assignment: "removed" } as const;
      expect(await ledger.nodeLedger.change(reportedOn(node.id, atMs), change)).toBe("done");
      const back = { node: node.id, assignment: anAssignment(), reason: "lost", atMs: longAfter };
      expect(await takeBackLost(ledger, fence, back)).toBe("stale");
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "failed", reason: "exit code 1" });
    });

    it("taking back is stale for an attempt that the node does not hold", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      const assignment = anAssignment({ attempt: 2 });
      expect(await takeBackLost(ledger, fence, { node: node.id, assignment, reason: "lost", atMs: longAfter })).toBe("stale");
      expect(
        await takeBackLost(ledger, fence, {
          node: "i-00000000000000ff",
          assignment: anAssignment(),
          reason: "lost",
          atMs: longAfter,
        }),
      ).toBe("stale");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed", attempt: 1 });
    });

    it("a job waits again once if taking it back and its worker's report race", async () => {
      const ledger = await make();
      const { fence, node, job } = await placed(ledger);
      const on = reportedOn(node.id, atMs);
      const to = { from: "placed", to: "queued", reason: "stopped", failed: false } as const;
      const outcomes = await Promise.all([
        takeBackLost(ledger, fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs: longAfter }),
        ledger.nodeLedger.change(on, { attempt: anAssignment(), job: to, assignment: "removed" }),
      ]);
      expect(outcomes.sort()).toEqual(["done", "stale"]);
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", attempt: 2 });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toHaveLength(1);
    });
  });

  describe("placements.move", () => {
    const reason = "moved from pool gpu: EC2 gives nothing";
    const move = (entry: QueueEntry) => ({ entry, to: "cpu", reason });

    it("a moved job waits in the other pool, as the same attempt and with its turn, and rings that pool's bell", async () => {
      const ledger = await make();
      const datasets = [{ name: "images", share: "part" as const }];
      const { entry, job } = await admitted(ledger, { spec: aSpec({ priority: 3, nodes: 2, spot: false, datasets }), reason: "waits" });
      await admitted(ledger, { job: "stays" });
      const fence = await begin(ledger);
      const before = await ledger.decisions.state("gpu");
      expect(await ledger.placements.move(fence, move(entry))).toBe("done");
      expect(await ledger.placements.move(fence, move(entry))).toBe("done");
      expect(await ledger.sealing.get(job)).toEqual({ ...job, pool: "cpu", reason });
      expect((await ledger.decisions.waiting("gpu", monday)).queue.map((each) => each.job)).toEqual(["stays"]);
      expect((await ledger.decisions.waiting("cpu", monday)).queue).toEqual([{ ...entry, reason }]);
      expect(await ledger.decisions.state("gpu")).toEqual(before);
      expect(await ledger.decisions.state("cpu")).toMatchObject({ bell: 1, decidedThrough: 0 });
      expect(await ledger.decisions.begin("cpu")).toMatchObject({ ringsSeen: 1, causes: ["move"] });
    });

    it("only the pool that a job has moved to can change it", async () => {
      const ledger = await make();
      const { entry, job } = await admitted(ledger);
      const fence = await begin(ledger);
      const left = await readyNode(ledger, fence);
      expect(await ledger.placements.move(fence, move(entry))).toBe("done");
      const { placements } = ledger;
      expect(await placements.bind(fence, { entry, node: left, atMs })).toBe("stale");
      expect(await placements.bindGang(fence, { entry, nodes: [left], atMs })).toBe("stale");
      expect(await placements.hold(fence, { entry, reason: "late" })).toBe("stale");
      expect(await placements.fail(fence, { attempt: entry, failure: "never-fits", reason: "late", atMs })).toBe("stale");
      expect(await placements.move(fence, { ...move(entry), to: "third" })).toBe("stale");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", pool: "cpu", reason });
      const there = await begin(ledger, "cpu");
      const node = await readyNode(ledger, there, { id: "i-0000000000000002" });
      expect(await placements.bind(there, { entry, node, atMs })).toBe("done");
      expect((await ledger.decisions.waiting("cpu", monday)).queue).toEqual([]);
      await ledger.nodeLedger.gone(node.id, atMs);
      const back = { node: node.id, assignment: anAssignment(), reason: "lost", atMs };
      expect(await placements.takeBack(there, back)).toBe("done");
      expect((await ledger.decisions.waiting("cpu", monday)).queue).toEqual([anEntry({ attempt: 2, reason: "lost" })]);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([]);
    });

    it("moving is stale for a job that was placed, has another attempt, has ended or does not exist", async () => {
      const ledger = await make();
      const { fence, entry } = await placed(ledger);
      expect(await ledger.placements.move(fence, move(entry))).toBe("stale");
      expect(await ledger.placements.move(fence, move({ ...entry, job: "nobody" }))).toBe("stale");
      const other = await admitted(ledger, { job: "other" });
      expect(await ledger.placements.move(fence, move({ ...other.entry, attempt: 2 }))).toBe("stale");
      await ledger.cancellations.cancel(other.job, { reason: "no", atMs });
      expect(await ledger.placements.move(fence, move(other.entry))).toBe("stale");
      expect((await ledger.decisions.waiting("cpu", monday)).queue).toEqual([]);
      expect((await ledger.decisions.state("cpu")).bell).toBe(0);
    });

    it("a job is cancelled and in no queue if a move and a cancel race", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      for (let n = 0; n < 12; n += 1) {
        const { entry, job } = await admitted(ledger, { job: `job-${n}` });
        const [moved, cancelled] = await Promise.all([
          ledger.placements.move(fence, move(entry)),
          ledger.cancellations.cancel(job, { reason: "no", atMs }),
        ]);
        expect(["done", "stale"]).toContain(moved);
        expect(cancelled.kind).toBe("cancelled");
        expect(await ledger.sealing.get(job)).toMatchObject({ state: "cancelled", pool: moved === "done" ? "cpu" : "gpu" });
      }
      for (const pool of ["gpu", "cpu"]) expect((await ledger.decisions.waiting(pool, monday)).queue).toEqual([]);
    });

    it("24 jobs are moved at the same time while the other pool's bell is rung and heard, and no ring is lost", async () => {
      const ledger = await make();
      const entries = await Promise.all(Array.from({ length: 24 }, async (_, n) => (await admitted(ledger, { job: `job-${n}` })).entry));
      const fence = await begin(ledger);
      const [, , ...moved] = await Promise.all([
        Promise.all(Array.from({ length: 6 }, () => ledger.bell.ring("cpu", "job"))),
        begin(ledger, "cpu"),
        ...entries.map((entry) => ledger.placements.move(fence, move(entry))),
      ]);
      expect(new Set(moved)).toEqual(new Set(["done"]));
      expect((await ledger.decisions.waiting("cpu", monday)).queue).toHaveLength(24);
      expect((await ledger.decisions.state("cpu")).bell).toBe(30);
    });
  });

  describe("placements.fail and hold", () => {
    it("failing ends a waiting job, and may be repeated", async () => {
      const ledger = await make();
      const { job } = await admitted(ledger);
      const fence = await begin(ledger);
      const failed = { attempt: anAssignment(), failure: "never-fits" as const, reason: "no type has 9 GPUs", atMs };
      expect(await ledger.placements.fail(fence, failed)).toBe("done");
      expect(await ledger.placements.fail(fence, failed)).toBe("done");
      expect(await ledger.sealing.get(job)).toEqual({
        ...job,
        state: "failed",
        reason: "no type has 9 GPUs",
        endedAtMs: atMs,
        endCode: "never-fits",
      });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([]);
    });

    it("failing a job that was placed or has another attempt is stale", async () => {
      const ledger = await make();
      const { fence, job } = await placed(ledger);
      expect(await ledger.placements.fail(fence, { attempt: anAssignment(), failure: "never-fits", reason: "no", atMs })).toBe("stale");
      expect(
        await ledger.placements.fail(fence, { attempt: anAssignment({ job: "nobody" }), failure: "never-fits", reason: "no", atMs }),
      ).toBe("stale");
      const { entry } = await admitted(ledger, { job: "other" });
      expect(await ledger.placements.fail(fence, { attempt: { ...entry, attempt: 2 }, failure: "never-fits", reason: "no", atMs })).toBe(
        "stale",
      );
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed" });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([entry]);
    });

    it("a hold writes to a job why it waits, and the next decision sees that reason", async () => {
      const ledger = await make();
      const { entry, job } = await admitted(ledger);
      const fence = await begin(ledger);
      expect(await ledger.placements.hold(fence, { entry, reason: "the pool is at its limit" })).toBe("done");
      expect(await ledger.placements.hold(fence, { entry, reason: "the pool is at its limit" })).toBe("done");
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([{ ...entry, reason: "the pool is at its limit" }]);
      expect(await ledger.sealing.get(job)).toEqual({ ...job, reason: "the pool is at its limit" });
    });

    it("holding a job that no longer waits is stale, and records no reason", async () => {
      const ledger = await make();
      const { fence, entry, job } = await placed(ledger);
      expect(await ledger.placements.hold(fence, { entry, reason: "late" })).toBe("stale");
      expect(await ledger.sealing.get(job)).not.toHaveProperty("reason");
    });

    it("a job's reason for waiting is removed when it is placed", async () => {
      const ledger = await make();
      const { entry, job } = await admitted(ledger, aJob({ reason: "waits for its turn" }));
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([{ ...entry, reason: "waits for its turn" }]);
      await ledger.placements.bind(fence, { entry, node, atMs });
      expect((await ledger.sealing.get(job))?.reason).toBeUndefined();
    });
  });
};
