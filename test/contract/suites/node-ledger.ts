import { describe, expect, it } from "vitest";
import { loadPool } from "../../../lib/flows/pool/load-pool.ts";
import { callNumber } from "../../../lib/model/heartbeat/heartbeat.ts";
import { anAssignment, anEntry, monday } from "../../fakes/builders.ts";
import {
  admitted,
  begin,
  callAt,
  launched,
  longAfter,
  type MakeLedger,
  newNode,
  nodeAt,
  only,
  placed,
  readyNode,
  reportedOn,
  sealing,
  takeBackLost,
} from "./arrange.ts";

const call = callAt(monday + 60_000);
const id = "i-0000000000000001";
const attempt = { team: "vision", job: "train-1", attempt: 1 };
const on = reportedOn(id, monday + 90_000);
const startedAtMs = monday + 62_000;
const running = { from: "placed", to: "running", startedAtMs, failed: false } as const;

export const nodeLedgerContract = (make: MakeLedger) => {
  describe("nodeLedger.handOut", () => {
    it("many orders are handed out in several writes, without those that were taken back", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      const jobs = Array.from({ length: 25 }, (_, n) => `job-${n}`);
      for (const job of jobs) {
        const { entry } = await admitted(ledger, { job });
        await ledger.placements.bind(fence, { entry, node, atMs: monday });
      }
      const attempts = [...jobs, "never"].map((job) => ({ team: "vision", job, attempt: 1 }));
      const held = await ledger.nodeLedger.handOut("gpu", node.id, attempts, monday + 1_000);
      expect(held.map(({ job }) => job).sort()).toEqual([...jobs].sort());
      expect(await ledger.nodeLedger.handOut("gpu", node.id, attempts.slice(0, 1), monday + 9_000)).toHaveLength(1);
      const times = (await ledger.nodeLedger.get("gpu", node.id))?.assignments.map(({ orderedAtMs }) => orderedAtMs);
      expect(new Set(times), "the first time counts").toEqual(new Set([monday + 1_000]));
      expect(await ledger.nodeLedger.handOut("gpu", "i-00000000000000ff", attempts, monday)).toEqual([]);
    });
  });

  describe("nodeLedger.prolong", () => {
    it("an attempt that the node holds gets more time, and another one is left out", async () => {
      const ledger = await make();
      const { node, job } = await placed(ledger);
      const longer = [job.job, "never"].map((each) => ({ team: "vision", job: each, attempt: 1, untilMs: monday + 900_000 }));
      await ledger.nodeLedger.prolong("gpu", node.id, longer);
      expect((await ledger.nodeLedger.get("gpu", node.id))?.assignments).toMatchObject([{ job: job.job, untilMs: monday + 900_000 }]);
      await ledger.nodeLedger.prolong("gpu", "i-00000000000000ff", longer);
    });
  });

  describe("node ledger: a run that failed through no fault of its job", () => {
    it("the job has its counts, rests before its next run, and a start ends the count of runs that could not be started", async () => {
      const ledger = await make();
      const { node, job } = await placed(ledger);
      const on = reportedOn(node.id, monday + 100_000);
      const trouble = {
        from: "placed",
        to: "queued",
        failed: false,
        unstarted: 1,
        troubles: 2,
        pauseMs: 30_000,
        reason: "S3 did not respond",
      } as const;
      const attempt = { team: job.team, job: job.job, attempt: 1 };
      expect(await ledger.nodeLedger.change(on, { attempt, job: trouble, assignment: "removed" })).toBe("done");
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "queued", attempt: 2, failures: 0, unstarted: 1, troubles: 2 });
      const [entry] = (await ledger.decisions.waiting("gpu", monday)).queue;
      expect(entry).toMatchObject({ attempt: 2, notBeforeMs: monday + 130_000, reason: "S3 did not respond" });
      if (!entry) throw new Error("no job waits");
      const fence = await begin(ledger);
      expect(await ledger.placements.bind(fence, { entry, node, atMs: monday + 130_000 })).toBe("done");
      const started = { from: "placed", to: "running", startedAtMs: monday + 140_000, failed: false, unstarted: 0 } as const;
      const next = reportedOn(node.id, monday + 140_000);
      expect(await ledger.nodeLedger.change(next, { attempt: { ...attempt, attempt: 2 }, job: started, assignment: "running" })).toBe(
        "done",
      );
      const running = await ledger.nodeLedger.job(job);
      expect([running?.state, running?.unstarted, running?.troubles]).toEqual(["running", undefined, 2]);
    });
  });

  describe("node ledger: an instance that has stopped", () => {
    it("an instance that has stopped is gone, unless its worker has begun a session since", async () => {
      const ledger = await make();
      const node = await readyNode(ledger, await begin(ledger));
      await ledger.nodeLedger.begin("gpu", node.id, monday + 500_000);
      expect(await ledger.nodeLedger.gone(node.id, monday + 600_000, monday + 400_000)).toEqual({ kind: "noted", pool: "gpu" });
      expect((await ledger.nodeLedger.get("gpu", node.id))?.state).toBe("ready");
      expect(await ledger.nodeLedger.gone(node.id, monday + 600_000, monday + 550_000)).toEqual({ kind: "noted", pool: "gpu" });
      expect((await ledger.nodeLedger.get("gpu", node.id))?.state).toBe("gone");
    });
  });

  describe("node ledger: declareDead", () => {
    const declared = { by: "Admin/ada", because: "the host is lost", atMs: monday + 900_000 };

    it("a node that is declared dead is gone, with who declared it and why, and its attempts can be taken back", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      expect(await ledger.nodeLedger.declareDead(node.id, declared, node.lastSeenMs)).toBe("done");
      const gone = await ledger.nodeLedger.get("gpu", node.id);
      expect(gone).toMatchObject({ state: "gone", stateSinceMs: declared.atMs, declared });
      const [assignment] = gone?.assignments ?? [];
      if (!assignment) throw new Error("the node holds nothing");
      expect(await ledger.placements.takeBack(fence, { node: node.id, assignment, reason: "lost", atMs: declared.atMs })).toBe("done");
    });

    it("an instance that is known to have ended, or is not ours, is not declared dead", async () => {
      const ledger = await make();
      const { node } = await placed(ledger);
      await ledger.nodeLedger.gone(node.id, monday + 800_000);
      await ledger.nodeLedger.declareDead(node.id, declared, node.lastSeenMs);
      await ledger.nodeLedger.declareDead("i-00000000000000ff", declared, undefined);
      const gone = await ledger.nodeLedger.get("gpu", node.id);
      expect(gone?.stateSinceMs).toBe(monday + 800_000);
      expect(gone?.declared).toBeUndefined();
    });
  });

  describe("node ledger: declareDead and a call of the worker", () => {
    it("a node whose worker calls while it is declared dead stays", async () => {
      const ledger = await make();
      const node = await readyNode(ledger, await begin(ledger));
      await ledger.nodeLedger.seen("gpu", node.id, callAt(call.atMs + 300_000));
      const declared = { by: "Admin/ada", because: "the host is lost", atMs: call.atMs + 300_001 };
      expect(await ledger.nodeLedger.declareDead(node.id, declared, node.lastSeenMs)).toBe("heard");
      expect((await ledger.nodeLedger.get("gpu", node.id))?.state).toBe("ready");
    });
  });

  describe("node ledger: seen", () => {
    it("a launching node becomes ready at its first call, and this is reported", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = newNode();
      await launched(ledger, fence, [node]);
      await ledger.nodeLedger.begin("gpu", id, monday);
      const ready = {
        ...node,
        state: "ready",
        readyAtMs: call.atMs,
        stateSinceMs: call.atMs,
        begunAtMs: monday,
        session: 1,
        call: callNumber(call),
        lastSeenMs: call.atMs,
      };
      expect(await ledger.nodeLedger.seen("gpu", id, call)).toEqual({ kind: "node", node: ready, joins: true, silentMs: 0 });
      const again = { ...call, sequence: call.sequence + 1, atMs: call.atMs + 1 };
      expect(await ledger.nodeLedger.seen("gpu", id, again), "another call").toMatchObject({ joins: false });
      const later = callAt(call.atMs + 60_000);
      expect(await ledger.nodeLedger.seen("gpu", id, later)).toEqual({
        kind: "node",
        node: { ...ready, call: callNumber(later), lastSeenMs: later.atMs },
        joins: false,
        silentMs: 0,
      });
      expect(await ledger.nodeLedger.get("gpu", id)).toMatchObject({});
    });

    it("a call without news writes a heartbeat only if the last one is a minute old", async () => {
      const ledger = await make();
      const node = await readyNode(ledger, await begin(ledger));
      expect(await ledger.nodeLedger.seen("gpu", id, callAt(call.atMs + 59_999))).toEqual({
        kind: "node",
        node,
        joins: false,
        silentMs: 0,
      });
      expect(await ledger.nodeLedger.get("gpu", id)).toEqual(node);
      expect(await ledger.nodeLedger.seen("gpu", id, callAt(call.atMs + 60_000))).toMatchObject({
        node: { lastSeenMs: call.atMs + 60_000 },
      });
    });

    it("a node joins its pool again with the first call after a silence", async () => {
      const ledger = await make();
      await readyNode(ledger, await begin(ledger));
      const callAfter = (ms: number) => ledger.nodeLedger.seen("gpu", id, callAt(call.atMs + ms));
      expect(await callAfter(89_999)).toMatchObject({ joins: false });
      expect(await callAfter(179_999)).toMatchObject({ joins: true, silentMs: 90_000 });
      expect(await callAfter(180_000)).toMatchObject({ joins: false });
    });

    it("only one of 8 calls at once is the first of a node", async () => {
      const ledger = await make();
      await launched(ledger, await begin(ledger), [newNode()]);
      await ledger.nodeLedger.begin("gpu", id, monday);
      const calls = Array.from({ length: 8 }, (_, n) => ({ ...callAt(call.atMs + n), sequence: 1 }));
      const seen = await Promise.all(calls.map((each) => ledger.nodeLedger.seen("gpu", id, each)));
      expect(seen.filter((each) => each.kind === "node" && each.joins)).toHaveLength(1);
    });

    it("each process of a worker gets a session of its own, even if several begin at once", async () => {
      const ledger = await make();
      await readyNode(ledger, await begin(ledger));
      const begun = await Promise.all([1, 2, 3].map(() => ledger.nodeLedger.begin("gpu", id, monday)));
      expect(begun.map((each) => each.kind === "session" && each.session).sort()).toEqual([2, 3, 4]);
      expect(await ledger.nodeLedger.begin("gpu", "i-00000000000000ff", monday)).toEqual({ kind: "unknown" });
      expect(await ledger.nodeLedger.begin("cpu", id, monday)).toEqual({ kind: "unknown" });
    });

    it("a call of an earlier session and an overtaken call write nothing", async () => {
      const ledger = await make();
      const node = await readyNode(ledger, await begin(ledger));
      const telemetry = { address: "10.0.0.7", datasets: [] };
      expect(await ledger.nodeLedger.seen("gpu", id, { ...callAt(monday + 59_000), telemetry })).toEqual({ kind: "overtaken" });
      expect(await ledger.nodeLedger.get("gpu", id)).toEqual(node);
      await ledger.nodeLedger.begin("gpu", id, monday);
      const late = { ...callAt(monday + 200_000), telemetry };
      expect(await ledger.nodeLedger.seen("gpu", id, late)).toEqual({ kind: "no-session" });
      expect(await ledger.nodeLedger.get("gpu", id)).toEqual({ ...node, session: 2, begunAtMs: monday });
      expect(await ledger.nodeLedger.seen("gpu", id, { ...late, session: 2, sequence: 1 })).toMatchObject({
        node: { address: "10.0.0.7" },
      });
      expect(await ledger.nodeLedger.seen("gpu", id, { ...late, session: 3 })).toEqual({ kind: "no-session" });
    });

    it("a call of an instance that is not in the pool is unknown", async () => {
      const ledger = await make();
      await readyNode(ledger, await begin(ledger));
      expect(await ledger.nodeLedger.seen("gpu", "i-00000000000000ff", call)).toEqual({ kind: "unknown" });
      expect(await ledger.nodeLedger.seen("cpu", id, call)).toEqual({ kind: "unknown" });
      expect(await ledger.nodeLedger.get("cpu", id)).toBeUndefined();
    });

    it("a call renews the lease of a draining node, and a node that is ending is over", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      await readyNode(ledger, fence);
      await ledger.placements.fenceIdle(fence, id, monday);
      const later = callAt(call.atMs + 60_000);
      expect(await ledger.nodeLedger.seen("gpu", id, later)).toMatchObject({
        kind: "node",
        node: { state: "draining" },
      });
      await ledger.placements.terminating(fence, id, monday);
      expect(await ledger.nodeLedger.seen("gpu", id, later)).toEqual({ kind: "over" });
      await ledger.nodeLedger.gone(id, monday);
      expect(await ledger.nodeLedger.seen("gpu", id, later)).toEqual({ kind: "over" });
      await ledger.placements.removeNode(fence, id, monday);
      expect(await ledger.nodeLedger.seen("gpu", id, later), "after it was forgotten").toEqual({ kind: "over" });
      expect(await ledger.nodeLedger.begin("gpu", id, monday), "after it was forgotten").toEqual({ kind: "over" });
      expect(await ledger.nodeReader.find(id), "what its worker last reported is kept").toMatchObject({ lastSeenMs: later.atMs });
    });
  });

  describe("node ledger: telemetry of a worker", () => {
    const gpus = [
      { index: 0, model: "NVIDIA A10G", utilizationPercent: 93, memoryUsedMiB: 21_000, throttled: ["sw_power_cap"] },
      { index: 1 },
    ];
    const datasets = [{ team: "vision", dataset: "coco", version: 3, shards: 12, bytes: 4_000_000_000 }];

    it("a worker's telemetry is stored on its node and stays until it is reported again", async () => {
      const ledger = await make();
      const node = await readyNode(ledger, await begin(ledger));
      const at = (seconds: number) => callAt(call.atMs + seconds * 1000);
      await ledger.nodeLedger.seen("gpu", id, { ...at(1), telemetry: { address: "10.0.0.7", gpus, datasets } });
      const reported = { address: "10.0.0.7", gpus, gpusAtMs: at(1).atMs, gpusBusyAtMs: at(1).atMs, datasets };
      const beaten = { call: callNumber(at(1)), lastSeenMs: at(1).atMs };
      expect(await ledger.nodeLedger.get("gpu", id)).toEqual({ ...node, ...reported, ...beaten });
      expect(await ledger.nodeLedger.seen("gpu", id, at(2))).toMatchObject({ node: reported });
      const idle = { gpus: gpus.map((gpu) => ({ ...gpu, utilizationPercent: 0 })), datasets };
      await ledger.nodeLedger.seen("gpu", id, { ...at(3), telemetry: idle });
      expect(await ledger.nodeLedger.seen("gpu", id, { ...at(4), telemetry: { gpus: [], datasets: [] } })).toMatchObject({
        node: { address: "10.0.0.7", gpus: [], gpusAtMs: at(4).atMs, gpusBusyAtMs: at(3).atMs, datasets: [] },
      });
      expect(only((await ledger.decisions.load("gpu", monday)).nodes)).toMatchObject({ address: "10.0.0.7" });
    });

    it("telemetry of a node's first call is stored too", async () => {
      const ledger = await make();
      await launched(ledger, await begin(ledger), [newNode()]);
      await ledger.nodeLedger.begin("gpu", id, monday);
      expect(await ledger.nodeLedger.seen("gpu", id, { ...call, telemetry: { address: "10.0.0.7" } })).toMatchObject({
        joins: true,
        node: { state: "ready", address: "10.0.0.7" },
      });
    });
  });

  describe("node ledger: noticed", () => {
    const interruption = { kind: "interruption", atMs: monday + 70_000 } as const;
    const rebalance = { kind: "rebalance", atMs: monday + 65_000 } as const;
    const noted = { kind: "noted", pool: "gpu" };

    it("a notice drains a node that boots or works, with all that it holds", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      await launched(ledger, fence, [newNode({ id: "i-0000000000000002" })]);
      expect(await ledger.nodeLedger.noticed(node.id, interruption, monday + 71_000)).toEqual(noted);
      expect(await ledger.nodeLedger.noticed(node.id, { ...interruption, atMs: 1 }, monday + 72_000)).toEqual(noted);
      expect(await ledger.nodeLedger.get("gpu", node.id)).toMatchObject({
        state: "draining",
        stateSinceMs: monday + 71_000,
        notice: interruption,
        assignments: [anAssignment()],
      });
      expect(await ledger.nodeLedger.noticed("i-0000000000000002", rebalance, monday + 71_000)).toEqual(noted);
      expect(await ledger.nodeLedger.get("gpu", "i-0000000000000002")).toMatchObject({ state: "draining", notice: rebalance });
    });

    it("an interruption replaces a rebalance recommendation, and not the reverse", async () => {
      const ledger = await make();
      await readyNode(ledger, await begin(ledger));
      for (const notice of [rebalance, { ...rebalance, atMs: 1 }]) await ledger.nodeLedger.noticed(id, notice, monday + 71_000);
      expect((await ledger.nodeLedger.get("gpu", id))?.notice).toEqual(rebalance);
      for (const notice of [interruption, rebalance]) await ledger.nodeLedger.noticed(id, notice, monday + 72_000);
      expect(await ledger.nodeLedger.get("gpu", id)).toMatchObject({ stateSinceMs: monday + 71_000, notice: interruption });
    });

    it("a notice is stored on a node that already drains, and not on one that is ending", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      await readyNode(ledger, fence);
      await ledger.placements.fenceIdle(fence, id, monday);
      await ledger.nodeLedger.noticed(id, rebalance, monday + 71_000);
      expect(await ledger.nodeLedger.get("gpu", id)).toMatchObject({ state: "draining", stateSinceMs: monday, notice: rebalance });
      await ledger.placements.terminating(fence, id, monday);
      expect(await ledger.nodeLedger.noticed(id, interruption, monday + 72_000)).toEqual(noted);
      expect(await ledger.nodeLedger.get("gpu", id)).toMatchObject({ state: "terminating", notice: rebalance });
      await ledger.nodeLedger.gone(id, monday);
      await ledger.placements.removeNode(fence, id, monday);
      expect(await ledger.nodeLedger.noticed(id, interruption, monday + 73_000), "after it was forgotten").toEqual(noted);
      expect((await ledger.decisions.load("gpu", monday)).nodes).toEqual([]);
    });

    it("does not know other people's instances", async () => {
      const ledger = await make();
      await readyNode(ledger, await begin(ledger));
      expect(await ledger.nodeLedger.noticed("i-00000000000000ff", interruption, monday)).toEqual({ kind: "unknown" });
    });
  });

  describe("node ledger: gone", () => {
    it("the end of an instance marks its node, returns the pool, and may be reported twice", async () => {
      const ledger = await make();
      const { node } = await placed(ledger);
      expect(await ledger.nodeLedger.gone(node.id, monday + 99_000)).toEqual({ kind: "noted", pool: "gpu" });
      expect(await ledger.nodeLedger.gone(node.id, monday + 100_000)).toEqual({ kind: "noted", pool: "gpu" });
      expect(await ledger.nodeLedger.get("gpu", node.id)).toMatchObject({
        state: "gone",
        stateSinceMs: monday + 99_000,
        assignments: [anAssignment()],
      });
    });

    it("the end of an unknown instance is ignored, and a forgotten node does not return", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      await readyNode(ledger, fence);
      expect(await ledger.nodeLedger.gone("i-00000000000000ff", monday)).toEqual({ kind: "unknown" });
      await ledger.nodeLedger.gone(id, monday);
      await ledger.placements.removeNode(fence, id, monday);
      await ledger.nodeLedger.gone(id, monday);
      expect((await ledger.decisions.load("gpu", monday)).nodes).toEqual([]);
    });
  });

  describe("node ledger: change", () => {
    it("a report of a loss sets the job's count of losses", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      await ledger.nodeLedger.change(on, { attempt, job: running, assignment: "running" });
      const lost = { from: "running", to: "queued", reason: "the worker was restarted", failed: false, losses: 2 } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: lost, assignment: "removed" })).toBe("done");
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "queued", attempt: 2, losses: 2, failures: 0 });
    });

    it("reports move an attempt from running to uploading and off its node", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      expect(await ledger.nodeLedger.change(on, { attempt, job: running, assignment: "running" })).toBe("done");
      expect(await ledger.nodeLedger.job(job)).toEqual({ ...job, state: "running", node: id, startedAtMs });
      expect((await ledger.nodeLedger.get("gpu", id))?.assignments).toEqual([
        anAssignment({ phase: "running", process: "p1", call: on.call }),
      ]);

      const exited = { from: "running", to: "sealing", exitCode: 0, startedAtMs: startedAtMs + 5, failed: false } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: exited, assignment: "uploading" })).toBe("done");
      expect(await ledger.nodeLedger.job(job)).toEqual({ ...job, state: "sealing", node: id, startedAtMs, exitCode: 0 });

      expect(await ledger.nodeLedger.change({ ...on, atMs: monday + 95_000 }, { attempt, assignment: "removed" })).toBe("done");
      expect(await ledger.nodeLedger.get("gpu", id)).toMatchObject({ assignments: [], lastBusyMs: monday + 95_000 });
      expect(await ledger.nodeLedger.job(job)).toEqual({ ...job, state: "sealing", startedAtMs, exitCode: 0 });
    });

    it("an attempt has a time by which its phase must be over, from when it is placed", async () => {
      const ledger = await make();
      const { node } = await placed(ledger);
      const read = async () => (await ledger.nodeLedger.get("gpu", node.id))?.assignments;
      expect(await read()).toMatchObject([{ phase: "placed", untilMs: expect.any(Number) }]);
      await ledger.nodeLedger.change(on, { attempt, job: running, assignment: "running", untilMs: monday + 5_000 });
      expect(await read()).toMatchObject([{ phase: "running", untilMs: monday + 5_000 }]);
      expect((await ledger.decisions.load("gpu", monday)).nodes.flatMap(({ assignments }) => assignments)).toMatchObject([
        { phase: "running", untilMs: monday + 5_000 },
      ]);
    });

    it("a report whose response was lost is done again", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      const exited = { from: "running", to: "sealing", exitCode: 0, failed: false } as const;
      const failed = { from: "sealing", to: "queued", reason: "the upload broke off", failed: true } as const;
      for (const change of [
        { attempt, job: running, assignment: "running" },
        { attempt, job: exited, assignment: "uploading" },
        { attempt, job: failed, assignment: "removed" },
      ] as const) {
        expect(await ledger.nodeLedger.change(on, change)).toBe("done");
        expect(await ledger.nodeLedger.change(on, change), change.job.to).toBe("done");
      }
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "queued", attempt: 2, failures: 1 });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toHaveLength(1);
    });

    it("a failed run goes back to the queue as the job's next attempt", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      const to = { from: "placed", to: "queued", reason: "exit code 3", exitCode: 3, startedAtMs, failed: true } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: to, assignment: "removed" })).toBe("done");
      const now = await ledger.nodeLedger.job(job);
      expect(now).toEqual({ ...job, attempt: 2, failures: 1, reason: "exit code 3", exitCode: 3, startedAtMs });
      const loaded = await loadPool(ledger, "gpu", monday);
      expect(loaded.queue).toEqual([anEntry({ attempt: 2, reason: "exit code 3" })]);
      expect(only(loaded.nodes).assignments).toEqual([]);
    });

    it("a run that failed for good ends its job", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      const to = {
        from: "placed",
        to: "failed",
        reason: "exit code 3",
        failure: "runs-failed",
        exitCode: 3,
        startedAtMs,
        failed: true,
      } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: to, assignment: "removed" })).toBe("done");
      expect(await ledger.nodeLedger.job(job)).toEqual({
        ...job,
        state: "failed",
        failures: 1,
        reason: "exit code 3",
        exitCode: 3,
        startedAtMs,
        endedAtMs: on.atMs,
        endCode: "runs-failed",
      });
    });

    it("an ended attempt stays on its node while it uploads, and then waits to be sealed", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      const ended = { from: "placed", to: "failed", reason: "exit code 1", exitCode: 1, startedAtMs, failed: true } as const;
      const change = { attempt, job: ended, assignment: "uploading" } as const;
      expect(await ledger.nodeLedger.change(on, change)).toBe("done");
      expect(await ledger.nodeLedger.change(on, change), "its response was lost").toBe("done");
      const now = await ledger.nodeLedger.job(job);
      expect(now).toMatchObject({ state: "failed", failures: 1, reason: "exit code 1" });
      expect(now?.node).toBeUndefined();
      expect((await ledger.nodeLedger.get("gpu", id))?.assignments).toMatchObject([{ ...attempt, phase: "uploading", process: "p1" }]);
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
      expect(await ledger.nodeLedger.change(on, { attempt, assignment: "removed", toSeal: true })).toBe("done");
      expect((await ledger.nodeLedger.get("gpu", id))?.assignments).toEqual([]);
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([attempt]);
      expect(await ledger.nodeLedger.job(job)).toEqual(now);
    });

    it("the next attempt can begin on a node that still uploads the last one", async () => {
      const ledger = await make();
      const { fence, job, entry } = await placed(ledger);
      const ended = { from: "placed", to: "queued", reason: "exit code 1", exitCode: 1, startedAtMs, failed: true } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: ended, assignment: "uploading" })).toBe("done");
      const second = { ...entry, attempt: 2 };
      expect(await ledger.placements.bind(fence, { entry: second, node: nodeAt(id), atMs: monday + 91_000 })).toBe("done");
      const now = await ledger.nodeLedger.job(job);
      expect(now).toMatchObject({ state: "placed", attempt: 2, node: id });
      expect(await ledger.nodeLedger.change(on, { attempt, job: ended, assignment: "uploading" }), "a late report").toBe("stale");
      expect(await ledger.nodeLedger.change(on, { attempt, assignment: "removed", toSeal: true })).toBe("done");
      expect(await ledger.nodeLedger.job(job)).toEqual(now);
      expect((await ledger.nodeLedger.get("gpu", id))?.assignments).toMatchObject([{ attempt: 2, phase: "placed" }]);
    });

    it("a report about an attempt that was taken back, another attempt, node or state changes nothing", async () => {
      const ledger = await make();
      const { fence, job, node } = await placed(ledger);
      const other = await readyNode(ledger, fence, { id: "i-0000000000000002" });
      const change = { attempt, job: running, assignment: "running" } as const;
      expect(await ledger.nodeLedger.change({ ...on, node: other.id }, change)).toBe("stale");
      expect(await ledger.nodeLedger.change({ ...on, node: "i-00000000000000ff" }, change)).toBe("stale");
      expect(await ledger.nodeLedger.change(on, { ...change, attempt: { ...attempt, attempt: 2 } })).toBe("stale");
      expect(await ledger.nodeLedger.change(on, { ...change, job: { ...running, from: "running", to: "sealing" } })).toBe("stale");
      expect(await ledger.nodeLedger.change(on, { attempt: { ...attempt, job: "nobody" }, assignment: "removed" })).toBe("stale");
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "placed", attempt: 1 });

      await takeBackLost(ledger, fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs: longAfter });
      expect(await ledger.nodeLedger.change(on, change)).toBe("stale");
      expect(await ledger.nodeLedger.change(on, { attempt, assignment: "removed" })).toBe("stale");
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "queued", attempt: 2 });
      await ledger.placements.bind(fence, { entry: anEntry({ attempt: 2 }), node: other, atMs: monday });
      expect(await ledger.nodeLedger.change(on, change), "the worker returns after its lease was given away").toBe("stale");
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "placed", attempt: 2, node: other.id });
    });

    it("a report changes nothing that a later call of the node has changed", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      expect(await ledger.nodeLedger.change(on, { attempt, job: running, assignment: "running" })).toBe("done");
      const failed = { from: "running", to: "failed", reason: "exit code 1", failed: true } as const;
      const late = { ...on, call: on.call - 1 };
      expect(await ledger.nodeLedger.change(late, { attempt, job: failed, assignment: "removed" })).toBe("stale");
      expect(await ledger.nodeLedger.change(late, { attempt, assignment: "removed" })).toBe("stale");
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "running" });
      expect(await ledger.nodeLedger.change({ ...on, call: on.call + 1 }, { attempt, job: failed, assignment: "removed" })).toBe("done");
    });

    it("only one of several reports that race takes effect", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      const to = (reason: string) => ({ from: "placed", to: "failed", reason, failed: true }) as const;
      const outcomes = await Promise.all(
        ["a", "b", "c", "d"].map((reason) => ledger.nodeLedger.change(on, { attempt, job: to(reason), assignment: "removed" })),
      );
      expect(outcomes.sort()).toEqual(["done", "stale", "stale", "stale"]);
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "failed", failures: 1 });
    });

    it("a node is freed of a job that was sealed before its worker reported the upload", async () => {
      const ledger = await make();
      const { job } = await sealing(ledger);
      await ledger.sealing.succeed(attempt, {}, monday + 91_000);
      expect(await ledger.nodeLedger.change(on, { attempt, assignment: "removed" })).toBe("done");
      expect((await ledger.nodeLedger.get("gpu", id))?.assignments).toEqual([]);
      expect(await ledger.nodeLedger.job(job)).toMatchObject({ state: "succeeded", endedAtMs: monday + 91_000 });
    });
  });
};
