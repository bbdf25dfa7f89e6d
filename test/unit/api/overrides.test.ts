import { describe, expect, test } from "vitest";
import { nameOf } from "../../../lib/api/views/overrides.ts";
import { PoolView } from "../../../lib/api/views/pools.ts";
import { acrossPools, noOverrides, unknownOverrides } from "../../../lib/model/overrides/overrides.ts";
import { ApiWorld, callerOf, nodeId } from "./api-world.ts";

const post = (body: unknown) => ({ as: "admin", method: "POST", body }) as const;

describe("orders of admins", () => {
  test("a paused pool shows by whom, since when and why, and what was changed before", async () => {
    const world = new ApiWorld();
    const since = new Date(world.nowMs).toISOString();
    await world.fetch("/v1/pools/gpu/pause", post({ reason: "new image" }));
    const changes = [{ what: "paused the pool", by: "Admin/ada", reason: "new image", at: since }];
    const paused = { by: "Admin/ada", reason: "new image", since };
    expect((await world.fetch("/v1/pools/gpu")).body).toMatchObject({ overrides: { version: 1, paused, nodes: [], changes } });
    expect(world.lane.waiting).toEqual(["gpu"]);
    await world.fetch("/v1/pools/gpu/resume", post({ version: 1 }));
    const { body } = await world.fetch("/v1/pools/gpu");
    expect(body).toMatchObject({ overrides: { version: 2, changes: [{ what: "resumed the pool" }, changes[0]] } });
    expect(body).not.toHaveProperty("overrides.paused");
  });

  test("a change that is based on an older version is refused, and the refusal names who has changed what last", async () => {
    const world = new ApiWorld();
    await world.fetch("/v1/pools/gpu/pause", post({}));
    expect((await world.fetch("/v1/pools/gpu/resume", post({ version: 0 }))).body).toMatchObject({
      code: "conflict",
      detail:
        "Somebody else has changed the overrides of pool gpu: Admin/ada paused the pool at 2026-06-01 01:00 UTC; their version is 1 now. Look at them, then repeat the call.",
    });
  });

  test("a node shows what was ordered about it, and a drain without a deadline gets the pool's drain time", async () => {
    const world = new ApiWorld();
    const { drainSeconds } = world.pool;
    await world.fetch(`/v1/nodes/${nodeId(1)}/cordon`, post({ reason: "looks slow" }));
    await world.fetch(`/v1/nodes/${nodeId(2)}/drain`, post({}));
    const since = new Date(world.nowMs).toISOString();
    const cordon = { kind: "cordon", by: "Admin/ada", reason: "looks slow", since };
    const drain = { kind: "drain", by: "Admin/ada", since, until: new Date(world.nowMs + drainSeconds * 1_000).toISOString() };
    expect((await world.fetch(`/v1/nodes/${nodeId(1)}`)).body).toMatchObject({ override: cordon });
    expect((await world.fetch("/v1/nodes")).body).toMatchObject({
      items: [{ override: cordon }, { override: drain }, { node: nodeId(3) }],
    });
    expect((await world.fetch("/v1/pools/gpu")).body).toMatchObject({
      overrides: {
        nodes: [
          { node: nodeId(1), ...cordon },
          { node: nodeId(2), ...drain },
        ],
      },
    });
  });

  test("a node that leaves its pool already cannot be drained, and the refusal says why it leaves", async () => {
    const world = new ApiWorld();
    world.ledger.table.changeNode("gpu", nodeId(1), {
      state: "draining",
      drain: { because: "its life of 60 s ends", untilMs: world.nowMs },
    });
    expect((await world.fetch(`/v1/nodes/${nodeId(1)}/drain`, post({}))).body).toMatchObject({
      code: "conflict",
      detail: `The node ${nodeId(1)} is leaving its pool already: its life of 60 s ends.`,
    });
  });

  test("a drained pool shows until when, a drain without a deadline gets the pool's drain time, and its resumption names nodes that leave", async () => {
    const world = new ApiWorld();
    const until = new Date(world.nowMs + world.pool.drainSeconds * 1_000).toISOString();
    await world.fetch("/v1/pools/gpu/drain", post({ reason: "new account" }));
    expect((await world.fetch("/v1/pools/gpu")).body).toMatchObject({ overrides: { paused: { reason: "new account", until } } });
    expect((await world.fetch(`/v1/nodes/${nodeId(1)}/uncordon`, post({}))).body).toMatchObject({
      code: "conflict",
      detail: `Admin/ada drains the whole pool gpu, so the node ${nodeId(1)} leaves it. Resume the pool: that keeps every node that still works.`,
    });
    world.ledger.table.changeNode("gpu", nodeId(1), {
      state: "draining",
      notice: undefined,
      drain: { because: "Admin/ada drains the pool", untilMs: world.nowMs, ordered: true },
    });
    const { body } = await world.fetch("/v1/pools/gpu/resume", post({}));
    expect(body).toMatchObject({ leaving: [{ node: nodeId(1), because: expect.stringMatching(/^the deadline of its drain has passed/) }] });
    expect(body).not.toHaveProperty("paused");
  });

  test("overrides that cannot be read are refused, and the pool shows that it cannot be read", async () => {
    const world = new ApiWorld({ overrides: { get: async () => ({ ...noOverrides, isUnknown: true }), replace: async () => "done" } });
    expect((await world.fetch("/v1/pools/gpu/resume", post({}))).body).toMatchObject({
      code: "conflict",
      detail: "This release cannot read the overrides of pool gpu. The list of problems names the fields.",
    });
  });

  test("limits and budgets that were set are shown with the configured ones, who set them, when, why and until when", async () => {
    const world = new ApiWorld();
    const since = new Date(world.nowMs).toISOString();
    const until = new Date(world.nowMs + 14_400_000).toISOString();
    await world.fetch(
      "/v1/pools/gpu/set",
      post({ limits: { gpus: 2 }, budgets: { usdPerDay: 5, usdPerMonth: 50 }, forSeconds: 14_400, reason: "a paper" }),
    );
    const { body } = await world.fetch("/v1/pools/gpu");
    const common = { by: "Admin/ada", reason: "a paper", since, until };
    expect(body).toMatchObject({
      limits: { ...world.pool.limits, gpus: 2 },
      budgets: { usdPerDay: 5, usdPerMonth: 50 },
      overrides: {
        version: 1,
        settings: [
          { setting: "limits.gpus", value: 2, configured: world.pool.limits.gpus, ...common },
          { setting: "budgets.usdPerDay", value: 5, configured: 100, ...common },
          { setting: "budgets.usdPerMonth", value: 50, ...common },
        ],
        changes: [{ what: expect.stringMatching(/^set limits.gpus to 2, budgets.usdPerDay to 5, budgets.usdPerMonth to 50 until /) }],
      },
    });
    expect((await world.fetch("/v1/pools")).body).toMatchObject({ items: [{ limits: { gpus: 2 } }, { overrides: { settings: [] } }] });
    expect(world.lane.waiting).toEqual(["gpu"]);
    await world.fetch("/v1/pools/gpu/unset", post({ settings: ["limits.gpus"] }));
    expect((await world.fetch("/v1/pools/gpu")).body).toMatchObject({ limits: world.pool.limits, budgets: { usdPerDay: 5 } });
    world.nowMs += 14_400_000;
    expect((await world.fetch("/v1/pools/gpu")).body).toMatchObject({ budgets: { usdPerDay: 100 }, overrides: { settings: [] } });
    expect((await world.fetch("/v1/pools/gpu/unset", post({}))).body).toMatchObject({ version: 3, settings: [] });
  });

  test("a minimum that was set is shown with how much of it is there, why the rest is not, and what both cost, and only a shared pool can have one", async () => {
    const world = new ApiWorld();
    expect((await world.fetch("/v1/pools/lab")).body).not.toHaveProperty("minimum");
    await world.fetch("/v1/pools/lab/set", post({ minNodes: 2, forSeconds: 60 }));
    expect((await world.fetch("/v1/pools/lab")).body).toMatchObject({
      minimum: {
        nodes: 2,
        there: 1,
        usdPerHour: 0.5,
        missingUsdPerHour: 0.5,
        why: expect.stringMatching(/^what there is room for was refused/),
      },
      overrides: {
        settings: [{ setting: "minNodes", value: 2, configured: 0 }],
        changes: [{ what: expect.stringMatching(/^set minNodes to 2 until /) }],
      },
    });
    await world.fetch("/v1/pools/lab/pause", post({}));
    expect((await world.fetch("/v1/pools/lab")).body).toMatchObject({ minimum: { nodes: 2, there: 1, why: "the pool is paused" } });
    expect((await world.fetch("/v1/pools/gpu/set", post({ minNodes: 1 }))).body).toMatchObject({
      detail: expect.stringMatching(
        /^It cannot keep nodes: a node of pool "gpu" serves one team only, .*; only a shared pool can keep nodes/,
      ),
    });
    expect((await world.fetch("/v1/pools/lab/set", post({ minNodes: 1, team: "research" }))).body).toMatchObject({
      detail: "A pool keeps nodes for all its teams, so no team has a minimum.",
    });
  });

  test("limits across pools that were set are shown with the configured ones, and to a team only its own", async () => {
    const world = new ApiWorld();
    const since = new Date(world.nowMs).toISOString();
    const until = new Date(world.nowMs + 28_800_000).toISOString();
    await world.fetch("/v1/limits/set", post({ limits: { usdPerHour: 40 }, forSeconds: 28_800, reason: "a paper" }));
    await world.fetch("/v1/limits/set", post({ limits: { gpus: 3 }, team: "research", version: 1 }));
    const { body } = await world.fetch("/v1/limits", { as: "admin" });
    const ofAll = { setting: "limits.usdPerHour", value: 40, by: "Admin/ada", reason: "a paper", since, until };
    const ofTeam = { team: "research", setting: "limits.gpus", value: 3, by: "Admin/ada", since };
    expect(body).toMatchObject({
      version: 2,
      deployment: { limits: { usdPerHour: 40 }, reserved: { usdPerHour: 0, gpus: 0 } },
      teams: [{ team: "research", limits: { gpus: 3 } }, { team: "vision" }],
      settings: [ofAll, ofTeam],
      changes: [{ what: "set limits.gpus to 3 for team research" }, { what: expect.stringMatching(/^set limits.usdPerHour to 40 until /) }],
    });
    expect((await world.fetch("/v1/limits")).body).toMatchObject({ teams: [{ team: "vision" }], settings: [ofAll], changes: [{}] });
    expect((await world.fetch("/v1/pools")).body).toMatchObject({ deployment: { limits: { usdPerHour: 40 } }, settings: [ofAll] });
    expect(world.lane.waiting).toEqual(["gpu", "lab"]);
    expect((await world.fetch("/v1/limits/unset", post({ version: 1 }))).body).toMatchObject({
      code: "conflict",
      detail:
        "Somebody else has changed the limits across pools: Admin/ada set limits.gpus to 3 for team research at 2026-06-01 01:00 UTC; their version is 2 now. Look at them, then repeat the call.",
    });
    world.nowMs += 28_800_000;
    expect((await world.fetch("/v1/limits")).body).toMatchObject({ deployment: { limits: {} }, settings: [] });
  });

  test("limits across pools that cannot be read are shown as such, and cannot be changed", async () => {
    const world = new ApiWorld();
    world.ledger.table.overrides.set(acrossPools, unknownOverrides);
    expect((await world.fetch("/v1/limits")).body).toMatchObject({ unreadable: true, settings: [] });
    expect((await world.fetch("/v1/limits/set", post({ limits: { gpus: 1 } }))).body).toMatchObject({
      code: "conflict",
      detail: "This release cannot read the limits across pools that were set. The list of problems names the fields.",
    });
  });

  test("a team sees the budgets that were set for it, and neither those of other teams nor their changes", async () => {
    const world = new ApiWorld();
    const set = (team: string) => world.fetch("/v1/pools/gpu/set", post({ team, budgets: { usdPerDay: 3 } }));
    for (const team of ["research", "vision"]) await set(team);
    const shown = async (as: "admin" | "vision") => {
      const { body } = await world.fetch("/v1/pools/gpu", { as });
      const { overrides, teamSpending } = PoolView.parse(body);
      const budgets = teamSpending?.filter(({ budgets: its }) => its).map(({ team, budgets: its }) => [team, its?.usdPerDay]);
      return { teams: overrides.settings.map(({ team }) => team), changes: overrides.changes.map(({ what }) => what), budgets };
    };
    const change = (team: string) => `set budgets.usdPerDay to 3 for team ${team}`;
    expect(await shown("vision")).toEqual({ teams: ["vision"], changes: [change("vision")], budgets: [["vision", 3]] });
    expect(await shown("admin")).toEqual({
      teams: ["research", "vision"],
      changes: [change("vision"), change("research")],
      budgets: [
        ["research", 3],
        ["vision", 3],
      ],
    });
    await world.fetch("/v1/pools/gpu/unset", post({ team: "vision" }));
    expect(await shown("admin")).toMatchObject({ teams: ["research"] });
  });

  test("a team's limits, an unknown team, and a team's budget in a shared pool cannot be set, and the refusal says why", async () => {
    const world = new ApiWorld();
    const detailOf = async (pool: string, body: object) => (await world.fetch(`/v1/pools/${pool}/set`, post(body))).body;
    const budgets = { usdPerDay: 3 };
    expect(await detailOf("gpu", { team: "sales", budgets })).toMatchObject({ status: 400, detail: "There is no team sales." });
    expect(await detailOf("gpu", { team: "vision", limits: { gpus: 1 } })).toMatchObject({
      detail: "A team has budgets in a pool, and no limits. Its limits apply across all pools: POST /v1/limits/set sets them.",
    });
    expect(await detailOf("lab", { team: "research", budgets })).toMatchObject({
      detail: "Nodes of the shared pool lab belong to no team, so teams have no budgets there.",
    });
  });

  test("nothing can be unset for an unknown team, but what was set for a team that has been removed, also if the call is repeated", async () => {
    const world = new ApiWorld();
    const set = { by: "Admin/ada", sinceMs: world.nowMs };
    const unset = async (path: string, team: string) => (await world.fetch(`/v1/${path}/unset`, post({ team }))).body;
    for (const [path, name, settings] of [
      ["limits", acrossPools, { gpus: { ...set, value: 4 } }],
      ["pools/gpu", "gpu", { usdPerDay: { ...set, value: 5 } }],
    ] as const) {
      world.ledger.table.overrides.set(name, { ...noOverrides, teams: { sales: settings } });
      expect(await unset(path, "nope")).toMatchObject({ code: "invalid", detail: "There is no team nope." });
      for (const _call of ["first", "repeated"]) expect(await unset(path, "sales")).toMatchObject({ version: 1, settings: [] });
    }
    expect(await world.fetch("/v1/limits/unset", { as: "vision", method: "POST", body: { team: "nope" } })).toMatchObject({ status: 403 });
    expect(await world.fetch("/v1/pools/gpu/unset", { as: "vision", method: "POST", body: { team: "nope" } })).toMatchObject({
      status: 403,
    });
  });

  test("a change of limits without a value, or with a time that has passed or is far ahead, is refused with what to do", async () => {
    const world = new ApiWorld();
    const detailOf = async (body: unknown) => (await world.fetch("/v1/pools/gpu/set", post(body))).body;
    expect(await detailOf({ reason: "x", limits: {} })).toMatchObject({
      detail: "Name at least one of limits.usdPerHour, limits.gpus, budgets.usdPerDay, budgets.usdPerMonth, budgets.whenSpent, minNodes.",
    });
    const at = (aheadMs: number) => ({ limits: { gpus: 1 }, until: new Date(world.nowMs + aheadMs).toISOString() });
    const wrong = { detail: expect.stringMatching(/^`until` must be at least a minute and at most 366 days ahead; it is 20/) };
    expect(await detailOf(at(59_999))).toMatchObject(wrong);
    expect(await detailOf(at(366 * 86_400_000 + 1))).toMatchObject(wrong);
    expect(await detailOf({ ...at(60_000), forSeconds: 60 })).toMatchObject({ detail: "Give `until` or `forSeconds`, not both." });
    expect(await detailOf(at(60_000))).toMatchObject({ version: 1 });
  });

  test("a caller is named by its role and session, or by its user", () => {
    const of = (arn: string) => nameOf(callerOf(arn));
    expect(of("arn:aws:sts::123456789012:assumed-role/Admin/ada@example.com")).toBe("Admin/ada@example.com");
    expect(of("arn:aws:iam::123456789012:user/staff/ada")).toBe("ada");
    expect(of("arn:aws:iam::123456789012:root")).toBe("root");
  });
});

describe("a node that is declared dead", () => {
  test("an admin may declare a silent node dead with a reason, and the node shows who did it", async () => {
    const world = new ApiWorld();
    const path = `/v1/nodes/${nodeId(1)}/declare-dead`;
    world.nowMs += 3_600_000;
    expect(await world.fetch(path, post({}))).toMatchObject({ status: 400 });
    expect((await world.fetch(path, post({ reason: "the host is lost" }))).body).toMatchObject({
      state: "gone",
      declaredDead: { by: "Admin/ada", reason: "the host is lost", at: new Date(world.nowMs).toISOString() },
    });
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect((await world.fetch("/v1/nodes/i-00000000000000fff/declare-dead", post({ reason: "x" }))).status).toBe(404);
  });

  test("a node whose worker calls is not dead, and a team may declare no node dead", async () => {
    const world = new ApiWorld();
    const path = `/v1/nodes/${nodeId(1)}/declare-dead`;
    world.ledger.table.changeNode("gpu", nodeId(1), { lastSeenMs: world.nowMs - 1_000 });
    expect((await world.fetch(path, post({ reason: "x" }))).body).toMatchObject({
      code: "conflict",
      detail: expect.stringContaining("it may still run. Drain it"),
    });
    expect(await world.fetch(path, { as: "vision", method: "POST", body: { reason: "x" } })).toMatchObject({ status: 403 });
  });
});
