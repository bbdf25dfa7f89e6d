import { describe, expect, test } from "vitest";
import type { AttemptReport, NodeResponse } from "../../../events/node-call.ts";
import { judgeReport } from "../../../lib/decide/attempts/judge-report.ts";
import { sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import type { AttemptRef } from "../../../lib/model/job.ts";
import { aCatalogue, aJob, anAssignment, anOffer, aPool, aSpec } from "../../fakes/builders.ts";
import { cancel, interruption, onInstance, stateChange } from "./news.ts";
import { aWorld, type World } from "./world.ts";

const of = { team: "vision", job: "a", attempt: 1 };
const idle = { ...of, startedAtMs: 1 };
const exited = (exitCode: number): AttemptReport => ({ ...idle, phase: "exited", exitCode, uploads: true });
const stopped: AttemptReport = { ...of, phase: "stopped", reason: "told to stop", uploads: true };
const failed: AttemptReport = { ...of, phase: "failed", reason: "no such image", again: false, uploads: true };
const uploaded: AttemptReport = { ...of, phase: "uploaded" };

/** A world in which job a runs. */
async function working(fields: object = {}): Promise<World> {
  const world = aWorld({ pool: aPool({ idleSeconds: 60 }), catalogue: aCatalogue({ offers: [anOffer()] }) });
  await world.submit("a", fields);
  await world.workOff();
  await world.call(world.node.id, { attempts: [{ ...idle, phase: "running" }] });
  await world.workOff();
  return world;
}
const reportTo = (world: World, ...attempts: AttemptReport[]): Promise<NodeResponse> => world.call(world.nodes[0]?.id ?? "", { attempts });
const waiting = (world: World): readonly AttemptRef[] => [...world.ledger.table.sealingSince.values()].map(({ attempt }) => attempt);
const held = (world: World) => world.nodes[0]?.assignments.map(({ attempt, phase }) => [attempt, phase]);

describe("a run whose worker has something to upload", () => {
  test.each<[string, AttemptReport, object]>([
    ["failed", exited(3), { state: "failed", reason: "exit code 3", exitCode: 3 }],
    ["could not start", failed, { state: "failed", reason: "no such image" }],
    ["was stopped", stopped, { state: "queued", attempt: 2 }],
  ])("the job of a run that %s goes on at once, and the node keeps the attempt until all is uploaded", async (_what, report, job) => {
    const world = await working();
    expect(await reportTo(world, report)).toMatchObject({ kind: "orders", orders: [], done: [] });
    expect(world.job("a")).toMatchObject(job);
    expect(world.job("a")?.node).toBeUndefined();
    expect(held(world)).toEqual([[1, "uploading"]]);
    expect(await reportTo(world, report), "again, while it uploads").toMatchObject({ orders: [], done: [] });
    expect(waiting(world)).toEqual([]);
    expect(await reportTo(world, uploaded)).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject(job);
    expect(held(world)).toEqual([]);
    expect(waiting(world), "its upload is sealed, though the event of it may be lost").toEqual([of]);
  });

  test.each<[string, AttemptReport, object]>([
    ["failed", { ...exited(3), uploads: false } as AttemptReport, { state: "failed", exitCode: 3 }],
    ["could not start", { ...failed, uploads: false } as AttemptReport, { state: "failed" }],
    ["was stopped", { ...stopped, uploads: false } as AttemptReport, { state: "queued", attempt: 2 }],
  ])(
    "what a run that %s has uploaded before its end could be reported is sealed, though the event of it may be lost",
    async (_what, report, job) => {
      const world = await working();
      expect(await reportTo(world, report)).toMatchObject({ done: [of] });
      expect(world.job("a")).toMatchObject(job);
      expect(held(world)).toEqual([]);
      expect(waiting(world)).toEqual([of]);
    },
  );

  test("nothing waits to be sealed if a run left nothing, or a gang's other member has uploaded its log", async () => {
    const world = await working();
    await reportTo(world, { ...idle, phase: "exited", exitCode: 3 });
    expect(waiting(world)).toEqual([]);
    const held = anAssignment({ ...of, rank: 1, phase: "running" });
    const job = aJob({ job: "a", state: "running", spec: aSpec({ nodes: 2 }) });
    const judged = judgeReport({ ...idle, phase: "exited", exitCode: 3, uploads: false }, job, held);
    expect(judged).toMatchObject({ kind: "change", assignment: "removed" });
    expect(judged).not.toHaveProperty("toSeal");
  });

  test("a run that uploads frees its GPU, so that the next attempt may start on the same node", async () => {
    const world = await working({ retries: 1 });
    await reportTo(world, exited(3));
    await world.workOff();
    expect(held(world)).toEqual([
      [1, "uploading"],
      [2, "placed"],
    ]);
    const second = { ...of, attempt: 2 };
    expect(await reportTo(world, exited(3))).toMatchObject({ orders: [{ kind: "run", attempt: 2 }], done: [] });
    await reportTo(world, exited(3), { ...second, phase: "running", startedAtMs: 2 });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 2, failures: 1 });
    expect(await reportTo(world, uploaded, { ...second, phase: "running", startedAtMs: 2 })).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 2, failures: 1 });
    expect(waiting(world)).toEqual([of]);
  });

  test("a cancelled run is stopped, and its files are uploaded", async () => {
    const world = await working();
    await cancel(world, "a");
    expect(await reportTo(world, { ...idle, phase: "running" })).toMatchObject({ orders: [{ kind: "stop" }] });
    expect(await reportTo(world, stopped)).toMatchObject({ orders: [], done: [] });
    expect(held(world)).toEqual([[1, "uploading"]]);
    expect(await reportTo(world, uploaded)).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ state: "cancelled" });
    expect(world.job("a")?.node).toBeUndefined();
    expect(waiting(world)).toEqual([of]);
  });

  test("the upload of a job goes on if the job is cancelled meanwhile", async () => {
    const world = await working();
    await reportTo(world, exited(0));
    await cancel(world, "a");
    expect(await reportTo(world, exited(0))).toMatchObject({ orders: [], done: [] });
    expect(await reportTo(world, uploaded)).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ state: "cancelled" });
    expect(waiting(world)).toEqual([of]);
  });

  test("a successful run is uploaded and waits to be sealed once", async () => {
    const world = await working();
    await reportTo(world, exited(0));
    expect(world.job("a")).toMatchObject({ state: "sealing" });
    expect(await reportTo(world, uploaded)).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ state: "sealing" });
    expect(waiting(world)).toEqual([of]);
  });

  test("a run whose upload fails leaves its node and does not change its job", async () => {
    const world = await working();
    await reportTo(world, exited(3));
    const { uploads: _no, ...over } = { ...failed, again: true };
    expect(await reportTo(world, over)).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ state: "failed", reason: "exit code 3", failures: 1 });
    expect(held(world)).toEqual([]);
    // A repeated end without anything to upload looks the same: sealing finds out that there is nothing.
    expect(waiting(world)).toEqual([of]);
  });

  test("a run that uploads keeps its node from being given back", async () => {
    const world = await working();
    await reportTo(world, exited(3));
    for (let n = 0; n < 10; n += 1) {
      world.nowMs += 30_000;
      await reportTo(world, exited(3));
      await world.ringLater();
      await world.workOff();
      expect(world.fleet.live).toHaveLength(1);
    }
    await reportTo(world, uploaded);
    for (let n = 0; n < 4; n += 1) await world.pass(60);
    expect(world.fleet.live).toEqual([]);
    expect(world.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
  });
});

describe("the response to a reported end", () => {
  test("a report of an end that is repeated after a lost response changes nothing, although the job has gone on meanwhile", async () => {
    const world = await working({ retries: 5 });
    world.ledger.wire.loseResponseOf("nodeLedger.change");
    expect(await reportTo(world, exited(3))).toMatchObject({ unrecorded: [{ job: "a", attempt: 1 }] });
    await world.workOff();
    expect(await reportTo(world, exited(3))).toMatchObject({ done: [] });
    expect(world.job("a")).toMatchObject({ attempt: 2, failures: 1 });
    expect(held(world)?.[0]).toEqual([1, "uploading"]);
  });

  test("a reported end gets no response until it is recorded, because the worker would take it as recorded", async () => {
    const world = await working();
    let raced: Promise<unknown> = Promise.resolve();
    world.ledger.wire.before("nodeLedger.change", () => {
      raced = cancel(world, "a");
    });
    expect(await reportTo(world, exited(3))).toMatchObject({ kind: "orders", done: [] });
    await raced;
    expect(world.job("a")).toMatchObject({ state: "cancelled" });
    expect(held(world)).toEqual([[1, "uploading"]]);
  });
});

describe("an upload of an earlier attempt", () => {
  /** Its second attempt runs on a second node. */
  async function twoNodes(): Promise<{ world: World; first: string; second: string }> {
    const world = await working({ retries: 2 });
    const first = world.node.id;
    await onInstance(world, interruption(first));
    await world.workOff();
    await world.call(first, { attempts: [stopped] });
    await world.workOff();
    const second = world.nodes.find(({ id }) => id !== first)?.id ?? "";
    await world.call(second, { attempts: [{ ...of, attempt: 2, phase: "running", startedAtMs: 2 }] });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 2, node: second });
    return { world, first, second };
  }
  const untouched = { state: "running", attempt: 2, failures: 0 };

  test("an upload of an earlier attempt is lost with its node, and the current attempt runs on", async () => {
    const { world, first, second } = await twoNodes();
    world.fleet.end(first);
    await onInstance(world, stateChange(first, "terminated"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ ...untouched, node: second });
    expect(world.job("a")?.losses).toBeUndefined();
    expect(world.nodes.map(({ id }) => id)).toEqual([second]);
  });

  test("an upload of an earlier attempt is lost with its worker, and the current attempt runs on", async () => {
    const { world, first, second } = await twoNodes();
    await world.call(first, { process: "p2", attempts: [] });
    expect(world.nodes.find(({ id }) => id === first)?.assignments ?? []).toEqual([]);
    expect(world.job("a")).toMatchObject({ ...untouched, node: second });
  });

  test("a restarted worker reports an upload of an earlier attempt as stopped, and the current attempt runs on", async () => {
    const { world, first, second } = await twoNodes();
    const leftover: AttemptReport = { ...of, phase: "stopped", reason: "the worker on this node was restarted" };
    expect(await world.call(first, { process: "p2", attempts: [leftover] })).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ ...untouched, node: second });
  });
});

describe("a gang member's upload of its log", () => {
  async function gang(): Promise<{ world: World; nodes: readonly string[] }> {
    const world = aWorld({ pool: aPool({ idleSeconds: 60 }), catalogue: aCatalogue({ offers: [anOffer()] }) });
    await world.submit("a", { nodes: 2, retries: 1 });
    await world.workOff();
    const nodes = world.job("a")?.gang ?? [];
    for (const [n, id] of nodes.entries()) await world.call(id, { address: `10.0.0.${n}`, attempts: [{ ...idle, phase: "running" }] });
    return { world, nodes };
  }

  test("a member that uploads after its good end is no loss if its node is lost, and the first member runs on", async () => {
    const { world, nodes } = await gang();
    const [, other = ""] = nodes;
    expect(await world.call(other, { attempts: [exited(0)] })).toMatchObject({ orders: [], done: [] });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
    world.fleet.end(other);
    await onInstance(world, stateChange(other, "terminated"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1, node: nodes[0] });
  });

  test("a member's finished upload leaves nothing to be sealed", async () => {
    const { world, nodes } = await gang();
    await world.call(nodes[1] ?? "", { attempts: [exited(0)] });
    expect(await world.call(nodes[1] ?? "", { attempts: [uploaded] })).toMatchObject({ done: [of] });
    expect(waiting(world)).toEqual([]);
  });

  test("a member's upload does not delay the gang's next attempt", async () => {
    const { world, nodes } = await gang();
    await world.call(nodes[1] ?? "", { attempts: [exited(9)] });
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2 });
    await world.workOff();
    expect(world.job("a"), "its first member still runs").toMatchObject({ state: "queued" });
    expect(await world.call(nodes[0] ?? "", { attempts: [{ ...idle, phase: "running" }] })).toMatchObject({ orders: [{ kind: "stop" }] });
    expect(await world.call(nodes[0] ?? "", { attempts: [stopped] })).toMatchObject({ orders: [], done: [] });
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2, failures: 1 });
    expect(await world.call(nodes[0] ?? "", { attempts: [uploaded] })).toMatchObject({ done: [of] });
    expect(waiting(world), "the first one's files").toEqual([of]);
  });
});

test("an upload whose event was lost is found by the next sweep, and sealed although its job is over", async () => {
  const world = await working();
  await reportTo(world, exited(3));
  world.ports.artifacts.upload(of, { "model.pt": "weights" });
  await reportTo(world, uploaded);
  world.nowMs += 16 * 60_000;
  expect(await world.ledger.sealing.waitingSince(world.nowMs - 15 * 60_000)).toEqual([of]);
  expect(await sealAttempt(world.deps, of)).toEqual({ kind: "kept", files: 1 });
  expect(world.job("a")).toMatchObject({ state: "failed", reason: "exit code 3" });
  expect(waiting(world)).toEqual([]);
});

describe("a worker that was restarted and has kept how its last process's runs ended", () => {
  test.each([
    ["before the end was recorded", false],
    ["while it uploaded", true],
  ])("the end of a run counts although the worker was restarted %s, and the job succeeds", async (_when, isRecorded) => {
    const world = await working();
    const id = world.nodes[0]?.id ?? "";
    if (isRecorded) await reportTo(world, exited(0));
    expect(await world.call(id, { process: "p2", attempts: [exited(0)], renew: [of] })).toMatchObject({
      orders: [],
      done: [],
      renewed: [{ ...of, credentials: { sessionToken: "vision.a.1" } }],
    });
    expect(world.job("a")).toMatchObject({ state: "sealing", attempt: 1, exitCode: 0 });
    world.ports.artifacts.upload(of, {});
    expect(await world.call(id, { process: "p2", attempts: [uploaded] })).toMatchObject({ done: [of] });
    expect(await sealAttempt(world.deps, of)).toMatchObject({ kind: "succeeded" });
  });
});
