import { describe, expect, test } from "vitest";
import { changeOverrides } from "../../../lib/flows/change-overrides.ts";
import { checkJobs } from "../../../lib/flows/check-jobs.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import { tick } from "../../../lib/flows/tick.ts";
import type { SettingValues } from "../../../lib/model/overrides/settings.ts";
import { aCatalogue, anOffer, aPool, aType } from "../../fakes/builders.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const set = (world: World, values: SettingValues, over: { untilMs?: number; pool?: string } = {}) =>
  changeOverrides(world.deps, over.pool ?? "gpu", { order: { kind: "set", values, untilMs: over.untilMs }, by: "Admin/ada" });

describe("limits that an admin has set", () => {
  test("a lower limit stops launches at the next decision, and the configured one applies again when it is unset", async () => {
    const world = aWorld();
    await set(world, { gpus: 0 });
    await world.submit("a");
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued", reason: expect.stringMatching(/pool gpu is limited to 0/) });
    expect(world.fleet.live).toEqual([]);
    await changeOverrides(world.deps, "gpu", { order: { kind: "unset", names: ["gpus"] }, by: "Admin/ada" });
    await world.workOff();
    expect(world.job("a")?.state).toBe("placed");
    expectOneTruth(world);
  });

  test("a higher limit allows launches that the configuration does not, and its launch is within the limit that was set", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 1 } }) });
    await world.submit("a", { gpus: 1 });
    await world.submit("b", { gpus: 1 });
    await world.workOff();
    expect(world.job("b")?.state).toBe("queued");
    await set(world, { gpus: 2 });
    await world.workOff();
    expect(world.job("b")?.state).toBe("placed");
    expectOneTruth(world);
  });

  test("a limit that expires ends by itself, and the decision that ends it is woken for it", async () => {
    const world = aWorld();
    await set(world, { usdPerHour: 0 }, { untilMs: world.nowMs + 120_000 });
    await world.submit("a");
    await world.workOff();
    expect(world.job("a")?.state).toBe("queued");
    await world.pass(119);
    expect(world.job("a")?.state).toBe("queued");
    await world.pass(1);
    expect(world.job("a")?.state).toBe("placed");
  });

  test("a budget that was lowered and drains stops what runs", async () => {
    const world = aWorld({ pool: aPool({ drainSeconds: 60 }) });
    await world.submit("a");
    await world.workOff();
    const { id } = world.node;
    await world.call(id);
    world.nowMs += 60_000;
    await world.call(id, { attempts: [{ team: "vision", job: "a", attempt: 1, phase: "running", startedAtMs: world.nowMs }] });
    await set(world, { usdPerDay: 0, whenSpent: "drain" });
    await world.workOff();
    expect(world.node).toMatchObject({ state: "draining", drain: { because: "the budget of $0 a day is used up" } });
  });

  test("a team whose budget in the pool was set to nothing starts nothing, and other teams do", async () => {
    const world = aWorld();
    const order = { kind: "set", team: "vision", values: { usdPerDay: 0 } } as const;
    await changeOverrides(world.deps, "gpu", { order, by: "Admin/ada" });
    await world.submit("a");
    const body = JSON.stringify({ id: "b", command: ["x"], gpus: 1 });
    await submitJob(world.submitDeps, { team: "audio", messageId: "m", body, sentAtMs: world.nowMs });
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued", reason: expect.stringMatching(/budget of team vision in pool gpu is \$0/) });
    expect(world.node).toMatchObject({ team: "audio" });
  });

  test("the metrics of budgets are about the budget that was set", async () => {
    const world = aWorld({ pool: aPool({ budgets: { usdPerDay: 100 } }) });
    await world.submit("a");
    await world.workOff();
    world.nowMs += 3_600_000;
    const used = async () => {
      const { numbers } = await tick({ ...world.deps, teams: ["vision"] });
      return numbers[0]?.budgetUsedPercent ?? 0;
    };
    const before = await used();
    await set(world, { usdPerDay: 50 });
    expect(await used()).toBeCloseTo(2 * before);
    expect(before).toBeGreaterThan(0);
  });

  test("a job that only a higher limit admits is admitted, and one that only a lower limit excludes waits", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 0 } }) });
    const message = { command: ["x"], gpus: 1 };
    const checked = () => checkJobs({ ...world.submitDeps, jobLookup: world.ledger.jobLookup }, "vision", [message, message]);
    expect(await checked()).toMatchObject([{ kind: "refused" }, { kind: "refused" }]);
    await set(world, { gpus: 1 });
    const reads = () => world.ledger.wire.calls["overrides.get"] ?? 0;
    const before = reads();
    expect(await checked()).toMatchObject([{ kind: "accepted" }, { kind: "accepted" }]);
    // Those of the pool, and the limits across pools.
    expect(reads() - before).toBe(2);
    expect(await world.submit("a", { gpus: 1 })).toMatchObject({ kind: "queued" });
    const low = aWorld();
    await set(low, { gpus: 0 });
    expect(await low.submit("a", { gpus: 1 })).toMatchObject({ kind: "queued" });
  });

  test("no job moves to a fallback pool whose limit an admin has set too low for it", async () => {
    const b = aPool({ name: "b", families: ["g6"] });
    const world = aWorld({ pool: aPool({ fallback: "b", fallbackSeconds: 0 }), others: [b] });
    const types = [aType({ name: "g6.xlarge", gpu: { model: "L4", memoryGiB: 24 } })];
    world.ledger.table.catalogues.set("b", aCatalogue({ types, offers: [anOffer({ instanceType: "g6.xlarge", usdPerHour: 0.6 })] }));
    world.fleet.refuse(anOffer());
    await set(world, { gpus: 0 }, { pool: "b" });
    await world.submit("a", { gpus: 1 });
    await world.pass(10);
    expect(world.job("a")).toMatchObject({ pool: "gpu", reason: expect.stringMatching(/pool b is limited to 0$/) });
    await changeOverrides(world.deps, "b", { order: { kind: "unset", names: ["gpus"] }, by: "Admin/ada" });
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ pool: "b" });
  });
});
