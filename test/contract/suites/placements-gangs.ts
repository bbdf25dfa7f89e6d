import { describe, expect, it } from "vitest";
import { loadPool } from "../../../lib/flows/pool/load-pool.ts";
import { type Job, type QueueEntry, waiting } from "../../../lib/model/job.ts";
import type { Node } from "../../../lib/model/node.ts";
import { phaseEndsAtMs } from "../../../lib/model/values/attempt-times.ts";
import type { Fence } from "../../../lib/ports/pool-ledger.ts";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { aLaunch, anAssignment, aSpec, monday } from "../../fakes/builders.ts";
import {
  admitted,
  begin,
  launched,
  longAfter,
  type MakeLedger,
  newNode,
  nodeAt,
  only,
  plenty,
  readyNode,
  reportedOn,
  takeBackLost,
} from "./arrange.ts";

const atMs = monday + 61_000;
const untilMs = phaseEndsAtMs("placed", atMs, 0);
const startedAtMs = monday + 62_000;
const attempt = { team: "vision", job: "train-1", attempt: 1 };
const idOf = (n: number): string => `i-${String(n).padStart(16, "0")}`;
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => idOf(n));
const on = (node: string) => reportedOn(node, monday + 90_000);
const gangSpec = (nodes: number) => aSpec({ nodes });
const assignmentsOf = async (ledger: LedgerPorts, node: string) => (await ledger.nodeLedger.get("gpu", node))?.assignments;

/** Adds a gang that waits, and as many nodes that are ready. */
async function gangAndNodes(ledger: LedgerPorts, count = 3): Promise<{ fence: Fence; entry: QueueEntry; job: Job }> {
  const { entry, job } = await admitted(ledger, { spec: gangSpec(count) });
  const fence = await begin(ledger);
  for (const id of ids(count)) await readyNode(ledger, fence, { id });
  return { fence, entry, job };
}

async function bound(ledger: LedgerPorts, count = 3): ReturnType<typeof gangAndNodes> {
  const all = await gangAndNodes(ledger, count);
  expect(await ledger.placements.bindGang(all.fence, { entry: all.entry, nodes: ids(count).map(nodeAt), atMs })).toBe("done");
  return all;
}

/** Writes that bind, end and take back all members of a gang. */
export const gangPlacementsContract = (make: MakeLedger) => {
  describe("placements.bindGang", () => {
    it("binding a gang gives every node the attempt with its rank and takes the job out of the queue, once", async () => {
      const ledger = await make();
      const { fence, entry, job } = await bound(ledger);
      const { queue, nodes } = await loadPool(ledger, "gpu", monday);
      expect(queue).toEqual([]);
      expect(nodes.map((node) => node.assignments)).toEqual([0, 1, 2].map((rank) => [anAssignment({ nodes: 3, rank, untilMs })]));
      expect(nodes.map((node) => node.lastBusyMs)).toEqual([atMs, atMs, atMs]);
      expect(await ledger.sealing.get(job)).toEqual({ ...job, state: "placed", node: idOf(0), gang: ids(3) });
      expect(await ledger.placements.bindGang(fence, { entry, nodes: ids(3).map(nodeAt), atMs })).toBe("done");
      expect(await ledger.placements.bindGang(fence, { entry, nodes: ids(3).toReversed().map(nodeAt), atMs })).toBe("stale");
      expect(await assignmentsOf(ledger, idOf(1))).toEqual([anAssignment({ nodes: 3, rank: 1, untilMs })]);
    });

    it("the largest gang can be bound to nodes of one launch that still boot", async () => {
      const ledger = await make();
      const { entry, job } = await admitted(ledger, { spec: gangSpec(48) });
      const fence = await begin(ledger);
      await launched(
        ledger,
        fence,
        ids(48).map((id) => newNode({ id })),
      );
      expect(await ledger.placements.bindGang(fence, { entry, nodes: ids(48).map(nodeAt), atMs })).toBe("done");
      expect((await ledger.sealing.get(job))?.gang).toHaveLength(48);
      const { nodes } = await ledger.decisions.load("gpu", monday);
      expect(nodes.map((node) => only(node.assignments).rank)).toEqual(Array.from({ length: 48 }, (_, rank) => rank));
    });

    it.each<[string, (ledger: LedgerPorts, fence: Fence, node: Node) => Promise<unknown>]>([
      ["drains", (ledger, fence, node) => ledger.placements.fenceIdle(fence, node.id, atMs)],
      ["is ending", (ledger, fence, node) => ledger.placements.terminating(fence, node.id, atMs)],
      ["is gone", (ledger, _fence, node) => ledger.nodeLedger.gone(node.id, atMs)],
    ])("no member of a gang is bound if one node %s", async (_what, happen) => {
      const ledger = await make();
      const { fence, entry, job } = await gangAndNodes(ledger, 2);
      const last = await readyNode(ledger, fence, { id: idOf(2) });
      await happen(ledger, fence, last);
      expect(await ledger.placements.bindGang(fence, { entry, nodes: ids(3).map(nodeAt), atMs })).toBe("stale");
      expect((await ledger.decisions.load("gpu", monday)).nodes.flatMap((node) => node.assignments)).toEqual([]);
      expect(await ledger.sealing.get(job)).toEqual(job);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([entry]);
    });

    it("no member of a gang is bound if one node is unknown or another team's, or if another attempt waits", async () => {
      const ledger = await make();
      const { fence, entry, job } = await gangAndNodes(ledger, 2);
      await readyNode(ledger, fence, { id: idOf(8), team: "speech" });
      for (const stranger of [idOf(8), idOf(9)]) {
        expect(await ledger.placements.bindGang(fence, { entry, nodes: [...ids(2), stranger].map(nodeAt), atMs }), stranger).toBe("stale");
      }
      expect(await ledger.placements.bindGang(fence, { entry: { ...entry, attempt: 2 }, nodes: ids(2).map(nodeAt), atMs })).toBe("stale");
      expect((await ledger.decisions.load("gpu", monday)).nodes.flatMap((node) => node.assignments)).toEqual([]);
      expect(await ledger.sealing.get(job)).toEqual(job);
    });

    it("binding a gang is fenced once a later decision has begun", async () => {
      const ledger = await make();
      const { fence, entry, job } = await gangAndNodes(ledger, 2);
      await begin(ledger);
      expect(await ledger.placements.bindGang(fence, { entry, nodes: ids(2).map(nodeAt), atMs })).toBe("fenced");
      expect(await ledger.sealing.get(job)).toEqual(job);
    });

    it("either a gang is bound or one of its nodes drains, never both", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      for (let n = 0; n < 4; n += 1) {
        const { entry } = await admitted(ledger, { job: `job-${n}`, spec: gangSpec(2) });
        const nodes = [idOf(10 * n), idOf(10 * n + 1)];
        for (const id of nodes) await readyNode(ledger, fence, { id });
        const outcomes = await Promise.all([
          ledger.placements.bindGang(fence, { entry, nodes: nodes.map(nodeAt), atMs }),
          ledger.placements.fenceIdle(fence, nodes[1] ?? "", atMs),
        ]);
        expect([...outcomes].sort()).toEqual(["done", "stale"]);
        const held = await Promise.all(nodes.map((id) => assignmentsOf(ledger, id)));
        expect(held.flat()).toHaveLength(outcomes[0] === "done" ? 2 : 0);
      }
    });
  });

  describe("placements.settle for a gang's launch", () => {
    it("settling a gang's launch keeps the nodes that exist and releases what was reserved for the others", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const launch = aLaunch({ count: 4, whole: true, reserved: { usdPerHour: 2.8, gpus: 4 } });
      expect(await ledger.placements.intend(fence, launch, plenty)).toBe("done");
      expect((await ledger.decisions.load("gpu", monday)).openLaunches).toEqual([launch]);
      const nodes = ids(3).map((id) => newNode({ id, launch: launch.id }));
      const settled = { launch, nodes, atMs };
      expect(await ledger.placements.settle(fence, settled)).toBe("done");
      expect(await ledger.placements.settle(fence, settled)).toBe("done");
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded.nodes).toEqual(nodes);
      expect(loaded.reserved).toEqual({ usdPerHour: 1.5, gpus: 3 });
      expect(loaded.openLaunches).toEqual([]);
    });
  });

  describe("reports and losses of a gang's members", () => {
    const running = { from: "placed", to: "running", startedAtMs, failed: false } as const;

    it("the members of a gang start one after the other, and the first report makes the job run", async () => {
      const ledger = await make();
      const { job } = await bound(ledger, 2);
      expect(await ledger.nodeLedger.change(on(idOf(1)), { attempt, job: running, assignment: "running" })).toBe("done");
      expect(await ledger.nodeLedger.change(on(idOf(0)), { attempt, assignment: "running" })).toBe("done");
      expect(await ledger.sealing.get(job)).toEqual({ ...job, state: "running", startedAtMs, node: idOf(0), gang: ids(2) });
      for (const [rank, id] of ids(2).entries()) {
        expect(await assignmentsOf(ledger, id)).toEqual([
          anAssignment({ nodes: 2, rank, phase: "running", process: "p1", call: on(id).call }),
        ]);
      }
    });

    it("the members of a gang leave their nodes one by one, and the job has no node once rank 0 has left", async () => {
      const ledger = await make();
      const { job } = await bound(ledger, 3);
      expect(await ledger.nodeLedger.change(on(idOf(2)), { attempt, assignment: "removed" })).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed", node: idOf(0), gang: ids(3) });
      const exited = { from: "placed", to: "sealing", exitCode: 0, startedAtMs, failed: false } as const;
      expect(await ledger.nodeLedger.change(on(idOf(0)), { attempt, job: exited, assignment: "uploading" })).toBe("done");
      expect(await ledger.nodeLedger.change(on(idOf(0)), { attempt, assignment: "removed" })).toBe("done");
      const now = await ledger.sealing.get(job);
      expect(now).toMatchObject({ state: "sealing" });
      expect([now?.node, now?.gang]).toEqual([undefined, undefined]);
      expect(await ledger.sealing.succeed(attempt, {}, monday + 95_000)).toBe("done");
      expect(await ledger.nodeLedger.change(on(idOf(1)), { attempt, assignment: "removed" })).toBe("done");
      expect((await ledger.decisions.load("gpu", monday)).nodes.flatMap((node) => node.assignments)).toEqual([]);
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "succeeded", attempt: 1 });
    });

    it("members of a gang that fail end its attempt once, and the others are freed when they have stopped", async () => {
      const ledger = await make();
      const { job, entry } = await bound(ledger, 3);
      const failed = (rank: number) =>
        ({ from: "placed", to: "queued", reason: `member ${rank}: exit code 3`, exitCode: 3, startedAtMs, failed: true }) as const;
      const outcomes = await Promise.all(
        [1, 2].map((rank) => ledger.nodeLedger.change(on(idOf(rank)), { attempt, job: failed(rank), assignment: "removed" })),
      );
      expect([...outcomes].sort()).toEqual(["done", "stale"]);
      const now = await ledger.sealing.get(job);
      expect(now).toMatchObject({ state: "queued", attempt: 2, failures: 1, exitCode: 3 });
      expect([now?.node, now?.gang]).toEqual([undefined, undefined]);
      const { queue } = await ledger.decisions.waiting("gpu", monday);
      expect(queue).toEqual([{ ...entry, attempt: 2, reason: now?.reason }]);
      const left = outcomes[0] === "done" ? [0, 2] : [0, 1];
      for (const rank of left) {
        expect(await ledger.nodeLedger.change(on(idOf(rank)), { attempt, job: failed(rank), assignment: "removed" }), "late").toBe("stale");
        expect(await assignmentsOf(ledger, idOf(rank))).toHaveLength(1);
        expect(await ledger.nodeLedger.change(on(idOf(rank)), { attempt, assignment: "removed" })).toBe("done");
      }
      expect((await ledger.decisions.load("gpu", monday)).nodes.flatMap((node) => node.assignments)).toEqual([]);
      expect(await ledger.sealing.get(job)).toEqual(now);
    });

    it("members of a gang whose nodes are lost send the job back to the queue once", async () => {
      const ledger = await make();
      const { fence, job, entry } = await bound(ledger, 3);
      const back = (rank: number) => ({ node: idOf(rank), assignment: anAssignment({ rank }), reason: `lost ${rank}`, atMs: longAfter });
      const lost = await Promise.all([1, 2].map((rank) => takeBackLost(ledger, fence, back(rank))));
      expect(lost).toEqual(["done", "done"]);
      const now = await ledger.sealing.get(job);
      expect(now).toMatchObject({ state: "queued", attempt: 2, failures: 0 });
      expect([now?.node, now?.gang]).toEqual([undefined, undefined]);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([{ ...entry, attempt: 2, reason: now?.reason }]);
      expect(await assignmentsOf(ledger, idOf(0)), "its worker has not stopped it yet").toHaveLength(1);
      expect(await takeBackLost(ledger, fence, back(0))).toBe("done");
      expect((await ledger.decisions.load("gpu", monday)).nodes.flatMap((node) => node.assignments)).toEqual([]);
      expect(await ledger.sealing.get(job)).toEqual(now);
    });

    it("losing another member after the first one has exited successfully does not change the job", async () => {
      const ledger = await make();
      const { fence, job } = await bound(ledger, 2);
      const exited = { from: "placed", to: "sealing", exitCode: 0, startedAtMs, failed: false } as const;
      expect(await ledger.nodeLedger.change(on(idOf(0)), { attempt, job: exited, assignment: "uploading" })).toBe("done");
      const back = (rank: number) => ({ node: idOf(rank), assignment: anAssignment({ rank }), reason: `lost ${rank}`, atMs: longAfter });
      expect(await takeBackLost(ledger, fence, back(1))).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "sealing", attempt: 1, node: idOf(0), gang: ids(2) });
      expect(await assignmentsOf(ledger, idOf(1))).toEqual([]);
      expect(await takeBackLost(ledger, fence, back(0)), "the first was still uploading").toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "queued", attempt: 2 });
      expect(await ledger.sealing.waitingSince(monday + 1e9), "what it uploaded is kept").toMatchObject([{ job: job.job, attempt: 1 }]);
    });

    it("losing another member while it only uploads does not change the job", async () => {
      const ledger = await make();
      const { fence, job } = await bound(ledger, 2);
      const running = { from: "placed", to: "running", startedAtMs, failed: false } as const;
      expect(await ledger.nodeLedger.change(on(idOf(0)), { attempt, job: running, assignment: "running" })).toBe("done");
      expect(await ledger.nodeLedger.change(on(idOf(1)), { attempt, assignment: "uploading" })).toBe("done");
      const assignment = anAssignment({ rank: 1, phase: "uploading" });
      expect(await takeBackLost(ledger, fence, { node: idOf(1), assignment, reason: "lost", atMs: longAfter })).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "running", attempt: 1, node: idOf(0), gang: ids(2) });
      expect(await assignmentsOf(ledger, idOf(1))).toEqual([]);
    });

    it("a gang can be bound again as its next attempt, also to the same nodes", async () => {
      const ledger = await make();
      const { fence, job } = await bound(ledger, 2);
      const back = { node: idOf(1), assignment: anAssignment({ rank: 1 }), reason: "lost", atMs: longAfter };
      expect(await takeBackLost(ledger, fence, back)).toBe("done");
      expect(await ledger.nodeLedger.change(on(idOf(0)), { attempt, assignment: "removed" })).toBe("done");
      await readyNode(ledger, fence, { id: idOf(2) });
      const entry = waiting({ ...job, spec: gangSpec(2), attempt: 2 });
      expect(await ledger.placements.bindGang(fence, { entry, nodes: [idOf(0), idOf(2)].map(nodeAt), atMs })).toBe("done");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed", attempt: 2, node: idOf(0), gang: [idOf(0), idOf(2)] });
    });
  });
};
