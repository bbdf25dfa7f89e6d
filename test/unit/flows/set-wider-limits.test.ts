import { describe, expect, test } from "vitest";
import { changeWiderLimits, type LimitOrder } from "../../../lib/flows/change-overrides.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import { acrossPools, unknownOverrides } from "../../../lib/model/overrides/overrides.ts";
import { aPool } from "../../fakes/builders.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

type SetOrder = Extract<LimitOrder["order"], { kind: "set" }>;

const give = (world: World, order: LimitOrder["order"], ifVersion?: number) =>
  changeWiderLimits(world.deps, ["gpu"], { order, by: "Admin/ada", ifVersion });
const set = (world: World, values: SetOrder["values"], over: { team?: string; untilMs?: number } = {}) =>
  give(world, { kind: "set", values, ...over });

describe("limits across pools that an admin has set", () => {
  test("a lower limit of the deployment stops launches at the next decision of each pool, and the configured one applies again when it is unset", async () => {
    const world = aWorld();
    world.limits = { limits: { usdPerHour: 50 } };
    await set(world, { gpus: 0 });
    await world.submit("a");
    await world.workOff();
    expect(world.job("a")).toMatchObject({
      state: "queued",
      reason: expect.stringMatching(/the whole deployment is limited to \$50\/h and 0/),
    });
    await give(world, { kind: "unset", names: ["usdPerHour", "gpus"] });
    await world.workOff();
    expect(world.job("a")?.state).toBe("placed");
    expectOneTruth(world);
  });

  test("a higher limit allows launches that the configuration does not, and its launch is within the limit that was set", async () => {
    const world = aWorld();
    world.limits = { limits: { gpus: 1 } };
    for (const job of ["a", "b", "c"]) await world.submit(job, { gpus: 1 });
    await world.workOff();
    expect(world.nodes).toHaveLength(1);
    await set(world, { gpus: 2 });
    await world.workOff();
    expect(world.nodes).toHaveLength(2);
    expectOneTruth(world);
  });

  test("a team whose limit across pools was set to nothing launches nothing, and other teams do", async () => {
    const world = aWorld();
    await set(world, { usdPerHour: 0 }, { team: "vision" });
    await world.submit("a");
    const body = JSON.stringify({ id: "b", command: ["x"], gpus: 1 });
    await submitJob(world.submitDeps, { team: "audio", messageId: "m", body, sentAtMs: world.nowMs });
    await world.workOff();
    expect(world.job("a")?.reason).toMatch(/team vision is limited to \$0\/h/);
    expect(world.node).toMatchObject({ team: "audio" });
  });

  test("a limit that expires ends by itself, and the decision that ends it is woken for it", async () => {
    const world = aWorld();
    await set(world, { usdPerHour: 0 }, { untilMs: world.nowMs + 120_000 });
    await world.submit("a");
    await world.workOff();
    await world.pass(119);
    expect(world.job("a")?.state).toBe("queued");
    await world.pass(1);
    expect(world.job("a")?.state).toBe("placed");
  });

  test("a job that only a higher limit admits is admitted, and one that only a lower limit excludes waits", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 8 } }) });
    world.limits = { limits: { gpus: 0 } };
    expect(await world.submit("a", { gpus: 1 })).toMatchObject({ kind: "rejected" });
    await set(world, { gpus: 1 });
    expect(await world.submit("b", { gpus: 1 })).toMatchObject({ kind: "queued" });
    const low = aWorld();
    await set(low, { gpus: 0 });
    expect(await low.submit("a", { gpus: 1 })).toMatchObject({ kind: "queued" });
  });

  test("while limits that were set cannot be read, nothing is launched, jobs start on nodes that are there, and no node ends for it", async () => {
    const world = aWorld({ pool: aPool({ idleSeconds: 3_600 }) });
    await world.submit("a", { gpus: 1 });
    await world.workOff();
    const { id } = world.node;
    await world.call(id);
    const { overrides } = world.ledger.table;
    overrides.set(acrossPools, unknownOverrides);
    for (const job of ["b", "c"]) await world.submit(job, { gpus: 1 });
    await world.workOff();
    expect(world.job("b")?.reason).toBe(
      "the limits across pools that admins have set cannot be read, so nothing is launched until they are repaired",
    );
    expect(world.fleet.live.map((each) => each.id)).toEqual([id]);
    await world.call(id, { attempts: [{ team: "vision", job: "a", attempt: 1, phase: "exited", exitCode: 0, startedAtMs: world.nowMs }] });
    await world.workOff();
    expect([world.job("b")?.state, world.job("c")?.state, world.node.state]).toEqual(["placed", "queued", "ready"]);
    expect(await set(world, { gpus: 9 })).toEqual({ kind: "unreadable" });
    overrides.delete(acrossPools);
    await world.ringLater();
    await world.workOff();
    expect(world.job("c")?.state).toBe("placed");
  });

  test("a change that is based on another version is refused, and each change rings the bells of all pools", async () => {
    const world = aWorld({ others: [aPool({ name: "b" })] });
    const order = { kind: "set", values: { gpus: 4 } } as const;
    expect(await changeWiderLimits(world.deps, ["gpu", "b"], { order, by: "Admin/ada", ifVersion: 0 })).toMatchObject({
      kind: "done",
      overrides: { version: 1, settings: { gpus: { value: 4, by: "Admin/ada" } }, history: [{ what: "set limits.gpus to 4" }] },
    });
    expect(world.lane.waiting).toEqual(["gpu", "b"]);
    expect(await give(world, { kind: "unset", names: ["gpus"] }, 0)).toMatchObject({ kind: "conflict", overrides: { version: 1 } });
    expect(await world.ledger.overrides.get(acrossPools)).toMatchObject({ version: 1 });
  });
});
