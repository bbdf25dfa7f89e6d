import { describe, expect, test } from "vitest";
import type { AttemptReport } from "../../../events/node-call.ts";
import {
  maxDefianceSeconds,
  maxPreparingSeconds,
  maxRunGraceSeconds,
  maxUploadingSeconds,
} from "../../../lib/model/values/attempt-times.ts";
import { aPool } from "../../fakes/builders.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const pool = aPool({ maxRuntimeSeconds: 3_600, limits: { usdPerHour: 10, gpus: 1 } });
const attempt = { team: "vision", job: "a", attempt: 1 } as const;
const stopped: AttemptReport = { ...attempt, phase: "stopped", reason: "as ordered" };

/** A node whose worker holds the first attempt of the job `a`, as long as it reports it. */
async function working(asks: object = {}): Promise<{ world: World; node: string; running: AttemptReport }> {
  const world = aWorld({ pool });
  await world.submit("a", asks);
  await world.workOff();
  const node = world.node.id;
  await world.call(node);
  return { world, node, running: { ...attempt, phase: "running", startedAtMs: world.nowMs } };
}

/** Reports the attempt every minute for so long, and lets the fleet decide after each report. Returns the last response. */
async function reporting(world: World, node: string, of: { report?: AttemptReport; seconds: number }) {
  let answer: Awaited<ReturnType<World["call"]>> | undefined;
  for (const untilMs = world.nowMs + of.seconds * 1000; world.nowMs < untilMs; ) {
    world.nowMs = Math.min(untilMs, world.nowMs + 60_000);
    answer = await world.call(node, { attempts: of.report ? [of.report] : [] });
    await world.ringLater();
    await world.workOff();
  }
  return answer;
}

const gone = async (world: World, node: string): Promise<void> => {
  await world.ledger.nodeLedger.gone(node, world.nowMs);
  await world.ringLater();
  await world.workOff();
};

describe("the time for which a program may run", () => {
  test("a job that asks for more than its pool allows is rejected, and one that asks for nothing gets what the pool allows", async () => {
    const world = aWorld({ pool });
    const { job } = await world.submit("long", { maxRuntimeSeconds: 3_601 });
    expect(job).toMatchObject({
      state: "rejected",
      reason: 'it asks for 3601 s and pool gpu lets a job run for at most 3600 s; lower "maxRuntimeSeconds"',
    });
    expect((await world.submit("exact", { maxRuntimeSeconds: 3_600 })).job.state).toBe("queued");
    const { world: other, node } = await working();
    const answer = await other.call(node);
    const [order] = answer.kind === "orders" ? answer.orders : [];
    expect(order).toMatchObject({ kind: "run", spec: { maxRuntimeSeconds: 3_600 } });
  });

  test("a worker that reports a run past its limit is ordered to stop it, and the job has failed then, although only its worker can time it", async () => {
    const { world, node, running } = await working({ maxRuntimeSeconds: 600 });
    await reporting(world, node, { report: running, seconds: 60 });
    const before = await reporting(world, node, { report: running, seconds: 600 + maxRunGraceSeconds });
    expect(before).toMatchObject({ orders: [] });
    const after = await reporting(world, node, { report: running, seconds: 60 });
    expect(after).toMatchObject({ orders: [{ kind: "stop", ...attempt, because: "it ran longer than its limit of time" }] });
    await reporting(world, node, { report: stopped, seconds: 1 });
    expect(world.job("a")).toMatchObject({ state: "failed", exitCode: 124, failures: 1, reason: "it ran longer than its limit of time" });
    expectOneTruth(world);
  });

  test("a run past its limit is retried as often as the job asks for", async () => {
    const { world, node, running } = await working({ maxRuntimeSeconds: 600, retries: 1 });
    await reporting(world, node, { report: running, seconds: 60 + 600 + maxRunGraceSeconds + 60 });
    await reporting(world, node, { report: stopped, seconds: 1 });
    expect(world.job("a")).toMatchObject({ attempt: 2, failures: 1 });
  });

  test("the node of a worker that ignores the end of a run is ended, and the job has failed", async () => {
    const { world, node, running } = await working({ maxRuntimeSeconds: 600 });
    world.fleet.shutDown = (id) => void world.fleet.ending.add(id);
    await reporting(world, node, { report: running, seconds: 60 + 600 + maxRunGraceSeconds + maxDefianceSeconds });
    expect(world.node).toMatchObject({ state: "ready" });
    await reporting(world, node, { report: running, seconds: 60 });
    expect(world.node).toMatchObject({
      state: "draining",
      drain: { because: "its worker has not stopped an attempt: it ran longer than its limit of time (vision/a#1)" },
    });
    await reporting(world, node, { report: running, seconds: 660 });
    expect([...world.fleet.ending]).toEqual([node]);
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
    world.fleet.end(node);
    await gone(world, node);
    world.nowMs += 240_000;
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({
      state: "failed",
      attempt: 1,
      failures: 1,
      reason: `it ran longer than its limit of time, and ${node} was ended`,
    });
    expectOneTruth(world);
  });

  test("a run whose worker was not heard after its limit is lost with its node, and has not failed", async () => {
    const { world, node, running } = await working({ maxRuntimeSeconds: 600 });
    await reporting(world, node, { report: running, seconds: 60 });
    world.nowMs += 2 * 3_600_000;
    world.fleet.end(node);
    await gone(world, node);
    world.nowMs += 240_000;
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ attempt: 2, failures: 0, losses: 1 });
  });

  test("a node that is drained for days is ended at once if its worker ignores the end of a run", async () => {
    const { world, node, running } = await working({ maxRuntimeSeconds: 600 });
    await reporting(world, node, { report: running, seconds: 60 });
    world.ledger.table.changeNode("gpu", node, {
      state: "draining",
      drain: { because: "it is old", untilMs: world.nowMs + 7 * 86_400_000 },
    });
    await reporting(world, node, { report: running, seconds: 600 + maxRunGraceSeconds + maxDefianceSeconds + 60 });
    expect(world.fleet.live).toEqual([]);
  });
});

describe("the time for which an attempt may be prepared or upload", () => {
  test("the node of a worker that never starts what it was ordered to run is ended, and the job has failed", async () => {
    const { world, node } = await working();
    expect(await reporting(world, node, { seconds: maxPreparingSeconds })).toMatchObject({ orders: [{ kind: "run" }] });
    expect(await reporting(world, node, { seconds: 60 })).toMatchObject({
      orders: [{ kind: "stop", because: `its program did not start within ${maxPreparingSeconds} s` }],
    });
    await reporting(world, node, { seconds: maxDefianceSeconds + 720 });
    expect(world.fleet.live).toEqual([]);
    await gone(world, node);
    expect(world.job("a")).toMatchObject({ state: "failed", failures: 1 });
  });

  test("a worker that uploads for too long is ordered to stop", async () => {
    const { world, node, running } = await working();
    const exited: AttemptReport = { ...attempt, phase: "exited", startedAtMs: world.nowMs, exitCode: 0, uploads: true };
    await reporting(world, node, { report: running, seconds: 60 });
    await reporting(world, node, { report: exited, seconds: 60 });
    expect(await reporting(world, node, { report: exited, seconds: maxUploadingSeconds })).toMatchObject({ orders: [] });
    expect(await reporting(world, node, { report: exited, seconds: 60 })).toMatchObject({
      orders: [{ kind: "stop", because: `it uploaded its files for longer than ${maxUploadingSeconds} s` }],
    });
    await reporting(world, node, { report: stopped, seconds: 1 });
    expect(world.job("a")).toMatchObject({ state: "failed", reason: `it uploaded its files for longer than ${maxUploadingSeconds} s` });
  });

  test("the time in which a worker got no response does not count against an upload", async () => {
    const { world, node, running } = await working();
    const exited: AttemptReport = { ...attempt, phase: "exited", startedAtMs: world.nowMs, exitCode: 0, uploads: true };
    await reporting(world, node, { report: running, seconds: 60 });
    await reporting(world, node, { report: exited, seconds: 60 });
    world.nowMs += 8 * 3_600_000;
    expect(await reporting(world, node, { report: exited, seconds: maxUploadingSeconds - 60 })).toMatchObject({ orders: [] });
    expect(await reporting(world, node, { report: exited, seconds: 180 })).toMatchObject({ orders: [{ kind: "stop" }] });
  });
});
