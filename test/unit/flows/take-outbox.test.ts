import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Manifest } from "../../../events/artifacts/upload.ts";
import type { AttemptReport } from "../../../events/node-call.ts";
import { sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import { takeOutbox } from "../../../lib/flows/take-outbox.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { LeftOutbox } from "../../../lib/sim/memory/islands/outboxes.ts";
import { onInstance, stateChange } from "./news.ts";
import { aWorld, type World } from "./world.ts";

const of = { team: "vision", job: "a", attempt: 1 };
const exited = (exitCode: number): AttemptReport => ({ ...of, startedAtMs: 1, phase: "exited", exitCode, uploads: true });
const stopped: AttemptReport = { ...of, phase: "stopped", reason: "no call has got a response for 24.0 h", uploads: true };

/** A world in which job a runs on a node that is not heard any more. */
async function island(fields: object = {}) {
  const world = aWorld();
  await world.submit("a", fields);
  await world.workOff();
  await world.call(world.node.id, { attempts: [{ ...of, phase: "running", startedAtMs: 1 }] });
  await world.workOff();
  world.nowMs += 3_600_000;
  const { id } = world.node;
  const { outboxes } = world.ports;
  const role = "AROAINSTANCEROLE";
  const ref = { ...of, node: id, role };
  const deps = { ...world.deps, instanceRoleId: role };
  return {
    world,
    id,
    outboxes,
    deps,
    leave: (report: unknown, more: Partial<LeftOutbox> = {}) =>
      outboxes.leave(ref, { process: "p1", report, files: { "model.pt": weights }, manifest: aManifest(), ...more }),
    take: (over: Partial<typeof ref> = {}) => takeOutbox(deps, { ...ref, ...over }),
    held: () =>
      [...world.ledger.table.nodes.values()]
        .find(({ node }) => node.id === id)
        ?.node.assignments.map(({ attempt, phase }) => [attempt, phase]),
    uploads: () => [...world.ports.artifacts.incoming.keys()],
  };
}

const weights = Buffer.from("weights");
const aManifest = (over: Partial<Manifest> = {}): Manifest => ({
  version: 2,
  ...of,
  artifacts: [{ path: "model.pt", bytes: 7, sha256: createHash("sha256").update(weights).digest("hex"), mode: 0o644 }],
  leftOut: [],
  missing: [],
  ...over,
});
const seal = (world: World) => sealAttempt(world.deps, of);
const manifest = "vision/a/1/manifest.json";

describe("what a node left on S3 while nobody answered it", () => {
  test("a run that ended well succeeds with its files, as if its worker had reported and uploaded them", async () => {
    const { world, leave, take, held, uploads, outboxes } = await island();
    leave(exited(0));
    expect(await take()).toEqual({ kind: "taken", phase: "exited" });
    expect(world.job("a")).toMatchObject({ state: "sealing", exitCode: 0, attempt: 1 });
    expect(held()).toEqual([]);
    expect(uploads().at(-1)).toBe(manifest);
    expect(await seal(world)).toEqual({ kind: "succeeded", files: 1 });
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect(outboxes.opened).toBe(0);
  });

  test.each([
    ["failed", exited(3), {}, { state: "failed", reason: "exit code 3", exitCode: 3 }],
    ["failed, with retries left", exited(3), { retries: 1 }, { state: "queued", attempt: 2 }],
    ["was stopped at the end of its node", stopped, {}, { state: "queued", attempt: 2 }],
  ] as const)("a run that %s ends as reported, and what it left is kept", async (_what, report, fields, job) => {
    const { world, leave, take, held, uploads } = await island(fields);
    leave(report);
    expect(await take()).toEqual({ kind: "taken", phase: report.phase });
    expect(world.job("a")).toMatchObject(job);
    expect(held()).toEqual([]);
    expect(uploads()).toContain(manifest);
    expect(await seal(world)).toEqual({ kind: "kept", files: 1 });
  });

  test.each([
    ["whose files did not all fit", aManifest({ incomplete: true })],
    ["whose files are not listed", undefined],
  ])("a run that ended well but %s runs again", async (_what, list) => {
    const { world, leave, take } = await island({ retries: 1 });
    leave(exited(0), { manifest: list });
    expect(await take()).toMatchObject({ kind: "taken" });
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, reason: expect.stringContaining("did not fit") });
  });

  test("a run whose worker could upload although nobody answered only has its end reported", async () => {
    const { world, leave, take, held, uploads } = await island();
    world.ports.artifacts.upload(of, { "model.pt": "weights" });
    leave({ ...of, phase: "uploaded", startedAtMs: 1 }, { files: {}, manifest: undefined });
    expect(await take()).toEqual({ kind: "taken", phase: "uploaded" });
    expect([world.job("a")?.state, held(), uploads().length]).toEqual(["sealing", [], 2]);
    // The event of the upload came before the end was recorded, so it was of no use.
    expect(world.ports.sealAgain.sent).toEqual([of]);
  });

  test("taking the same outbox in again changes nothing", async () => {
    const { world, leave, take } = await island();
    leave(exited(0));
    await take();
    await seal(world);
    const before = structuredClone(world.job("a"));
    expect(await take()).toEqual({ kind: "stale" });
    expect(world.job("a")).toEqual(before);
  });

  test.each(["open", "deliver"] as const)("an outbox whose %s call fails is taken in by the next try", async (method) => {
    const { world, leave, take, outboxes, held } = await island();
    leave(exited(0));
    outboxes.interruptions.failBefore(method);
    await expect(take()).rejects.toMatchObject({ retry: true });
    expect(await take()).toEqual({ kind: "taken", phase: "exited" });
    expect([held(), await seal(world)]).toEqual([[], { kind: "succeeded", files: 1 }]);
    expect(outboxes.opened).toBe(0);
  });

  test("a result that also arrives by the worker counts once, whichever is first", async () => {
    const first = await island();
    first.leave(exited(0));
    await first.world.call(first.id, { attempts: [exited(0)] });
    expect(await first.take()).toEqual({ kind: "taken", phase: "exited" });
    expect(await first.world.call(first.id, { attempts: [{ ...of, phase: "uploaded" }] })).toMatchObject({ done: [of] });
    expect(await seal(first.world)).toEqual({ kind: "succeeded", files: 1 });

    const second = await island();
    second.leave(exited(0));
    await second.take();
    const response = await second.world.call(second.id, { attempts: [exited(0)] });
    expect(response).toMatchObject({ orders: [{ kind: "stop", ...of }] });
    expect(await second.world.call(second.id, { attempts: [{ ...of, phase: "stopped", reason: "", uploads: true }] })).toMatchObject({
      done: [of],
    });
    expect(await seal(second.world)).toEqual({ kind: "succeeded", files: 1 });
  });

  test("the end of an attempt that was replaced changes nothing", async () => {
    const { world, id, leave, take, uploads } = await island();
    leave(exited(0));
    await onInstance(world, stateChange(id, "terminated"));
    await world.workOff();
    world.nowMs += 240_000;
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ attempt: 2 });
    const before = structuredClone(world.job("a"));
    expect(await take()).toEqual({ kind: "stale" });
    expect([world.job("a"), uploads()]).toEqual([before, []]);
  });

  /** EC2 reports the node's end, its work is taken back when the wait for its outbox is over, and its job runs again elsewhere. */
  async function replaced({ world, id }: Awaited<ReturnType<typeof island>>) {
    await onInstance(world, stateChange(id, "terminated"));
    for (let minutes = 0; minutes < 20 && world.job("a")?.attempt === 1; minutes += 1) {
      world.nowMs += 60_000;
      await world.ringLater();
      await world.workOff();
    }
    await world.workOff();
    const next = world.node.id;
    await world.call(next);
    await world.call(next, { attempts: [{ ...of, attempt: 2, phase: "running", startedAtMs: 1 }] });
    expect([world.job("a"), next === id]).toMatchObject([{ attempt: 2, state: "running", node: next }, false]);
    return structuredClone(world.job("a"));
  }

  test("an outbox that is taken in after its attempt runs again elsewhere changes nothing", async () => {
    const its = await island();
    its.leave(exited(0));
    const before = await replaced(its);
    expect(await its.take()).toEqual({ kind: "stale" });
    expect([its.world.job("a"), its.uploads(), its.outboxes.interruptions.calls.open]).toEqual([before, [], undefined]);
  });

  test.each([
    ["opened, and before its end is recorded", "open"],
    ["put on S3, after its end was recorded", "deliver"],
  ] as const)("an attempt that is taken back and runs again elsewhere while its outbox is %s is not changed", async (_what, step) => {
    const its = await island();
    its.leave(exited(0));
    const before: { job?: unknown } = {};
    // What is taken in meanwhile is delivered late.
    its.outboxes.interruptions.before(step, async () => {
      before.job = await replaced(its);
    });
    // If the end could not be recorded, the message is tried again.
    await its.take().catch((error: unknown) => expect(error).toMatchObject({ code: "report", retry: true }));
    expect(await its.take()).toEqual({ kind: "stale" });
    expect(before.job).toMatchObject({ attempt: 2, state: "running" });
    expect(its.world.job("a")).toEqual(before.job);
    await seal(its.world);
    expect(its.world.job("a")).toEqual(before.job);
    expect(its.world.ledger.table.nodes.size).toBe(1);
  });

  test("the end arrives although EC2 has reported first that the instance has ended", async () => {
    const { world, id, leave, take } = await island();
    leave(exited(0));
    await onInstance(world, stateChange(id, "terminated"));
    await world.workOff();
    world.nowMs += 60_000;
    expect(await take()).toEqual({ kind: "taken", phase: "exited" });
    expect(world.job("a")).toMatchObject({ state: "sealing", attempt: 1 });
  });

  test("the end arrives although EC2 ends the instance, as long as its work is not taken back", async () => {
    const { world, id, leave, take } = await island();
    leave(exited(0));
    world.ledger.table.changeNode("gpu", id, { state: "terminating" });
    expect(await take()).toEqual({ kind: "taken", phase: "exited" });
    await onInstance(world, stateChange(id, "terminated"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "sealing", attempt: 1 });
    expect(await seal(world)).toEqual({ kind: "succeeded", files: 1 });
  });
});

describe("an object that is no outbox of a node of ours", () => {
  test("an outbox of another role, of an instance that is not ours, or of an attempt that its node does not hold is not opened", async () => {
    const { leave, take, outboxes, world } = await island();
    leave(exited(0));
    expect(await take({ role: "AROASOMEBODYELSE" })).toMatchObject({ kind: "refused", error: { code: "outbox" } });
    expect(await take({ node: "i-0000000000000abcd" })).toEqual({ kind: "stale" });
    expect(await take({ attempt: 2 })).toEqual({ kind: "stale" });
    expect(outboxes.interruptions.calls.open).toBeUndefined();
    expect(world.job("a")).toMatchObject({ state: "running" });
  });

  test.each([
    ["no report", { hello: 1 }],
    ["a program that runs", { ...of, phase: "running", startedAtMs: 1 }],
    ["the end of another attempt", { ...exited(0), attempt: 2 }],
    ["the end of another team's job", { ...exited(0), team: "research" }],
    ["an endless reason", { ...stopped, reason: "x".repeat(3_000) }],
  ])("an outbox that reports %s is refused, and changes nothing", async (_what, report) => {
    const { world, leave, take, held, uploads } = await island();
    leave(report);
    expect(await take()).toMatchObject({ kind: "refused", error: { code: "outbox", retry: false } });
    expect([world.job("a")?.state, held(), uploads()]).toEqual(["running", [[1, "running"]], []]);
  });

  test("an outbox that can never be opened is refused, and one that is gone is absent", async () => {
    const { take, outboxes, deps, id } = await island();
    expect(await take()).toEqual({ kind: "absent" });
    const cut = { open: () => Promise.reject(new FleetError("outbox", "it is cut off")) };
    expect(await takeOutbox({ ...deps, outboxes: cut }, { ...of, node: id, role: deps.instanceRoleId })).toMatchObject({
      kind: "refused",
      error: { message: "it is cut off" },
    });
    expect(outboxes.opened).toBe(0);
  });
});
