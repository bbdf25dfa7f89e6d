import { afterEach, describe, expect, test } from "vitest";
import { limits, setLimits, unsetLimits } from "../../../lib/cli/commands/limits.ts";
import { nodeLines, nodes } from "../../../lib/cli/commands/nodes.ts";
import { declareDead, orderNode, orderPool, setPool, unsetPool } from "../../../lib/cli/commands/orders.ts";
import { poolLines, pools } from "../../../lib/cli/commands/pools.ts";
import { aLimitsView, aNodeView, aPoolView, at } from "./api-samples.ts";
import { aContext, type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";

const node = "i-0123456789abcdef0";
const paused = { by: "Admin/ada", reason: "new image", since: at(3_480) };
const cordon = { kind: "cordon", by: "Admin/ada", since: at(3_480) } as const;
const drain = { kind: "drain", by: "Admin/ada", reason: "slow disk", since: at(3_480), until: at(5_400) } as const;
const limit = {
  setting: "limits.gpus",
  value: 32,
  configured: 16,
  by: "Admin/ada",
  reason: "a paper",
  since: at(3_480),
  until: at(5_400),
} as const;
const budget = { team: "vision", setting: "budgets.usdPerDay", value: 50, by: "Admin/ada", since: at(3_480) } as const;
const none = { version: 1, settings: [], nodes: [], changes: [] };
const nowMs = Date.parse(at(3_600));
let api: FakeApi;
afterEach(() => api.close());

async function start(routes: Routes) {
  api = await startFakeApi(routes);
  return aContext(api);
}

describe("the orders of admins", () => {
  test("fleet pool pause says what a paused pool does and how to resume it, and fleet pool resume that jobs start", async () => {
    const { on, printed } = await start({
      "POST /v1/pools/gpu/pause": { body: { ...none, paused } },
      "POST /v1/pools/gpu/resume": { body: none },
    });
    await orderPool("pause", { name: "gpu" }, on);
    await orderPool("resume", { name: "gpu" }, on);
    expect(printed.out).toEqual([
      "pool gpu is paused by Admin/ada since 2026-06-01 00:58:00 UTC, 2 min ago (new image): it starts nothing, and what runs goes on; resume it with: fleet pool resume gpu",
      "pool gpu is not paused; jobs that wait start with the next decision",
    ]);
  });

  test("fleet pool drain says what a drained pool does, and fleet pool resume which nodes cannot be kept", async () => {
    const leaving = Array.from({ length: 6 }, (_, n) => ({ node: `i-${n}`, because: "it is empty, so it is ended" }));
    const { on, printed } = await start({
      "POST /v1/pools/gpu/drain": { body: { ...none, paused: { ...paused, until: at(5_400) } } },
      "POST /v1/pools/gpu/resume": { body: { ...none, leaving } },
    });
    await orderPool("drain", { name: "gpu", deadline: 1_800 }, on);
    await orderPool("resume", { name: "gpu" }, on);
    expect(printed.out).toEqual([
      "pool gpu is drained until 2026-06-01 01:30:00 UTC, in 30 min by Admin/ada since 2026-06-01 00:58:00 UTC, 2 min ago (new image): it starts nothing, and idle nodes are ended; resume it with: fleet pool resume gpu",
      expect.stringMatching(
        /^pool gpu is not paused; .*; 6 nodes cannot be kept: i-0 \(it is empty, so it is ended\), i-1 .*, i-4 \(.*\) and 1 more$/,
      ),
    ]);
  });

  test("fleet pool set and unset show the values that apply, the configured ones and how to take back what was set", async () => {
    const { on, printed } = await start({
      "POST /v1/pools/gpu/set": { body: { ...none, settings: [limit, budget] } },
      "GET /v1/pools/gpu": { body: aPoolView({ overrides: { ...none, settings: [limit] } }) },
      "POST /v1/pools/gpu/unset": { body: none },
    });
    await setPool("gpu", { team: "vision", budgetDailyUsd: 50 }, on);
    await unsetPool("gpu", { what: [] }, on);
    expect(printed.out).toEqual([
      "pool gpu: limits.gpus is 32 instead of 16 until 2026-06-01 01:30:00 UTC, in 30 min, set by Admin/ada at 2026-06-01 00:58:00 UTC, 2 min ago (a paper)",
      "pool gpu: budgets.usdPerDay of team vision is 50, set by Admin/ada at 2026-06-01 00:58:00 UTC, 2 min ago",
      "the next decision applies this; take it back with: fleet pool unset gpu budget-daily-usd --team vision",
      "pool gpu has the limits, budgets and minimum of its configuration",
    ]);
  });

  test("fleet pool unset names what is still set, with a command for the pool and for each team that takes it back", async () => {
    const settings = [limit, { ...limit, setting: "minNodes", value: 2 } as const, budget];
    const { on, printed } = await start({
      "GET /v1/pools/gpu": { body: aPoolView({ overrides: { ...none, settings: [...settings, { ...budget, team: "research" }] } }) },
      "POST /v1/pools/gpu/unset": { body: { ...none, settings } },
    });
    await unsetPool("gpu", { what: ["budgets.usdPerDay"], team: "research" }, on);
    expect(printed.out).toEqual([
      "the next decision applies this",
      expect.stringMatching(/^pool gpu: limits\.gpus is 32 /),
      expect.stringMatching(/^pool gpu: minNodes is 2 /),
      expect.stringMatching(/^pool gpu: budgets\.usdPerDay of team vision is 50, /),
      "take back what is still set with: fleet pool unset gpu limit-gpus min-nodes",
      "take back what is still set for team vision with: fleet pool unset gpu budget-daily-usd --team vision",
    ]);
  });

  test("fleet pool unset and fleet limits unset say so if nothing was set", async () => {
    const { on, printed } = await start({
      "GET /v1/pools/gpu": { body: aPoolView({ overrides: { ...none, settings: [budget] } }) },
      "POST /v1/pools/gpu/unset": [{ body: { ...none, settings: [budget] } }, { body: none }],
      "GET /v1/limits": { body: aLimitsView() },
      "POST /v1/limits/unset": { body: aLimitsView() },
    });
    await unsetPool("gpu", { what: ["limit-gpus", "budget-daily-usd"] }, on);
    await unsetPool("gpu", { what: [], team: "research" }, on);
    await unsetLimits({ what: ["gpus"], team: "vision" }, on);
    await unsetLimits({ what: [] }, on);
    expect(printed.out).toEqual([
      "pool gpu: limit-gpus and budget-daily-usd were not set, so nothing has changed",
      expect.stringMatching(/^pool gpu: budgets\.usdPerDay of team vision is 50, /),
      "take back what is still set for team vision with: fleet pool unset gpu budget-daily-usd --team vision",
      "pool gpu for team research: nothing was set, so nothing has changed",
      "across pools for team vision: gpus was not set, so nothing has changed",
      "across pools: nothing was set, so nothing has changed",
    ]);
  });

  test("a value is unset although what was set before cannot be shown", async () => {
    const { on, printed } = await start({ "POST /v1/limits/unset": { body: aLimitsView() } });
    expect(await unsetLimits({ what: [] }, on)).toBe(0);
    expect(printed.out).toEqual(["the limits across pools are those of the configuration"]);
  });

  test("what was set after the command began is not shown as in the future", async () => {
    const since = at(3_601);
    const { on, printed } = await start({
      "POST /v1/limits/set": { body: aLimitsView({ settings: [{ ...limit, reason: undefined, since }] }) },
      "POST /v1/pools/gpu/pause": { body: { ...none, paused: { by: "Admin/ada", since } } },
    });
    await setLimits({ gpus: 32 }, on);
    await orderPool("pause", { name: "gpu" }, on);
    expect(printed.out[0]).toMatch(/ until 2026-06-01 01:30:00 UTC, in 30 min, set by Admin\/ada at 2026-06-01 01:00:01 UTC, just now$/);
    expect(printed.out[2]).toMatch(/^pool gpu is paused by Admin\/ada since 2026-06-01 01:00:01 UTC, just now: /);
  });

  test("fleet pool set and unset print the overrides as JSON", async () => {
    const { on, printed } = await start({ "POST /v1/pools/gpu/unset": { body: none } });
    await unsetPool("gpu", { what: ["limit-gpus"], json: true }, on);
    expect(JSON.parse(printed.out.join(""))).toEqual({ pool: "gpu", overrides: none });
  });

  test("fleet pools and fleet pool show the limits and budgets that an admin has set", async () => {
    const pool = aPoolView({ overrides: { ...none, settings: [limit] } });
    const { on, printed } = await start({ "GET /v1/pools": { body: { items: [pool] } } });
    await pools({}, on);
    expect(printed.out.at(-1)).toMatch(/^pool gpu +limits\.gpus is 32 instead of 16 until .* \(a paper\)$/);
    expect(poolLines(pool, nowMs).find((line) => line.startsWith("set"))).toMatch(/^set +limits\.gpus is 32 instead of 16 until /);
  });

  test("fleet pool shows how many nodes a pool keeps, what they cost, and why some are missing", () => {
    const shown = (minimum: object | undefined) => poolLines(aPoolView({ minimum }), nowMs).find((line) => line.startsWith("minimum"));
    expect(shown({ nodes: 2, there: 2, usdPerHour: 1 })).toMatch(/^minimum +2 nodes at least, with work or without; they cost \$1\/h$/);
    expect(shown({ nodes: 2, there: 1, usdPerHour: 0.5, missingUsdPerHour: 0.5, why: "the pool is paused" })).toMatch(
      /^minimum +2 nodes at least, with work or without; 1 is there for \$0\.50\/h, and the rest would add \$0\.50\/h: the pool is paused$/,
    );
    expect(shown({ nodes: 1, there: 0, usdPerHour: 0, why: "prices are not known yet" })).toMatch(
      /^minimum +1 node at least, with work or without; none is there: prices are not known yet$/,
    );
    expect(shown(undefined)).toBeUndefined();
  });

  test("fleet limits shows the limits across pools, what was set, and the last changes", async () => {
    const set = { ...limit, setting: "limits.usdPerHour", value: 40, configured: 20 } as const;
    const changes = [{ what: "set limits.usdPerHour to 40", by: "Admin/ada", at: at(3_480) }];
    const { on, printed } = await start({ "GET /v1/limits": { body: aLimitsView({ settings: [set], changes }) } });
    await limits({}, on);
    expect(printed.out).toEqual([
      "all pools  $1/h of $40/h, 3 GPUs",
      "team research $0.50/h, 1 of 4 GPUs",
      expect.stringMatching(/^set +limits\.usdPerHour is 40 instead of 20 until .* \(a paper\)$/),
      "changed    Admin/ada set limits.usdPerHour to 40 at 2026-06-01 00:58:00 UTC, 2 min ago",
    ]);
  });

  test("fleet limits says that nothing is launched while what admins have set cannot be read", async () => {
    const { on, printed } = await start({ "GET /v1/limits": { body: aLimitsView({ unreadable: true }) } });
    await limits({}, on);
    expect(printed.out[0]).toMatch(/^state +nothing is launched, because what admins have set cannot be read: fleet problems$/);
  });

  test("fleet limits set and unset show the values that apply and how to take back what was set", async () => {
    const { on, printed } = await start({
      "POST /v1/limits/set": { body: aLimitsView({ settings: [limit, { ...limit, team: "vision" }] }) },
      "GET /v1/limits": { body: aLimitsView({ settings: [limit] }) },
      "POST /v1/limits/unset": { body: aLimitsView() },
    });
    await setLimits({ gpus: 32, team: "vision" }, on);
    await unsetLimits({ what: ["gpus"] }, on);
    expect(printed.out).toEqual([
      expect.stringMatching(/^across pools: limits\.gpus is 32 instead of 16 until .*, set by Admin\/ada /),
      expect.stringMatching(/^across pools: limits\.gpus of team vision is 32 /),
      "the next decisions apply this; take it back with: fleet limits unset gpus --team vision",
      "the limits across pools are those of the configuration",
    ]);
    await expect(setLimits({}, on)).rejects.toThrow("name what to set: --usd-per-hour, --gpus");
    await expect(unsetLimits({ what: ["nodes"] }, on)).rejects.toThrow("nodes: expected one of usd-per-hour, gpus");
  });

  test("fleet limits set notes the shared pools in which a team's limits do not count its jobs, and is not stopped by that", async () => {
    const items = [
      aPoolView({ pool: "gpu" }),
      aPoolView({ pool: "lab", shared: true }),
      aPoolView({ pool: "own", shared: true, teams: ["vision"] }),
      aPoolView({ pool: "other", shared: true, teams: ["research"] }),
    ];
    const set = { "POST /v1/limits/set": { body: aLimitsView() } };
    const { on, printed } = await start({
      ...set,
      "GET /v1/pools": [{ body: { items } }, { body: { items: items.slice(0, 1) } }, { status: 404 }],
    });
    for (const team of ["vision", "vision", "vision", undefined]) expect(await setLimits({ gpus: 0, team }, on)).toBe(0);
    expect(printed.note).toEqual([
      "note: the limits of team vision do not cover its jobs in lab, own, because nodes of shared pools count towards no team",
    ]);
  });

  test("fleet node cordon, drain and uncordon say what happens to the node", async () => {
    const { on, printed } = await start({
      [`POST /v1/nodes/${node}/cordon`]: { body: { ...none, nodes: [{ node, ...cordon }] } },
      [`POST /v1/nodes/${node}/drain`]: { body: { ...none, nodes: [{ node, ...drain }] } },
      [`POST /v1/nodes/${node}/uncordon`]: { body: none },
    });
    for (const kind of ["cordon", "drain", "uncordon"] as const) await orderNode(kind, { node }, on);
    expect(printed.out).toEqual([
      `${node} is cordoned: it gets nothing new, and is ended when it is idle, as any node`,
      `${node} is drained: it gets nothing new, what runs may continue until 2026-06-01 01:30:00 UTC, in 30 min, and it is ended when it is empty`,
      `${node} is neither cordoned nor drained, and can get jobs again`,
    ]);
  });

  test("with --json, the overrides are printed as the API returns them", async () => {
    const { on, printed } = await start({ "POST /v1/pools/gpu/pause": { body: { ...none, paused } } });
    await orderPool("pause", { name: "gpu", json: true }, on);
    expect(JSON.parse(printed.out.join(""))).toEqual({ pool: "gpu", overrides: { ...none, paused } });
  });

  test("a conflict is reported with who has changed the overrides, and a missing node with advice", async () => {
    const detail = "Somebody else has changed the overrides of pool gpu: Admin/bob paused the pool at 2026-06-01 00:58 UTC";
    const { on } = await start({ "POST /v1/pools/gpu/resume": problem(409, "conflict", detail) });
    await expect(orderPool("resume", { name: "gpu" }, on)).rejects.toThrow(detail);
    await expect(orderNode("drain", { node }, on)).rejects.toThrow(`there is no node ${node}; list them with: fleet nodes`);
  });
});

describe("what admins have ordered", () => {
  test("fleet pools marks a pool that starts nothing, and says why", async () => {
    const items = [
      aPoolView({ overrides: { ...none, paused } }),
      aPoolView({ pool: "lab", overrides: { ...none, unreadable: true } }),
      aPoolView({ pool: "cpu" }),
      aPoolView({ pool: "old", overrides: { ...none, paused: { ...paused, until: at(5_400) } } }),
    ];
    const { on, printed } = await start({ "GET /v1/pools": { body: { items } } });
    await pools({}, on);
    const text = printed.out.join("\n");
    expect(text).toMatch(/^gpu +paused /m);
    expect(text).toMatch(/^lab +unreadable /m);
    expect(text).toMatch(/^cpu +active /m);
    expect(text).toMatch(/^old +drained /m);
    expect(text).toMatch(/^pool gpu +paused by Admin\/ada since .* \(new image\): nothing starts$/m);
    expect(text).toMatch(/^pool lab +nothing starts, because what admins have ordered cannot be read: fleet problems$/m);
  });

  test("fleet pool shows who has paused it, the nodes with orders and the last five changes", async () => {
    const { on: _on } = await start({});
    const changes = Array.from({ length: 6 }, (_, n) => ({ what: "paused the pool", by: `Admin/${n}`, at: at(3_480) }));
    const lines = poolLines(aPoolView({ overrides: { version: 6, settings: [], paused, nodes: [{ node, ...drain }], changes } }), nowMs);
    expect(lines.filter((line) => /^(state|ordered) /.test(line))).toEqual([
      expect.stringMatching(/^state +paused by Admin\/ada since .*: nothing starts$/),
      expect.stringMatching(/^ordered +i-0123456789abcdef0 drained until .*, in 30 min by Admin\/ada at .*, 2 min ago \(slow disk\)$/),
    ]);
    expect(lines.filter((line) => line.startsWith("changed"))).toHaveLength(5);
    expect(lines.find((line) => line.startsWith("changed"))).toMatch(/ Admin\/0 paused the pool at 2026-06-01 00:58:00 UTC, 2 min ago$/);
  });

  test("fleet nodes marks a cordoned node, and fleet node shows what was ordered about it", async () => {
    const { on, printed } = await start({ "GET /v1/nodes": { body: { items: [aNodeView({ override: cordon })] } } });
    await nodes({ limit: 10 }, on);
    expect(printed.out[1]).toMatch(/ ready, cordoned /);
    expect(nodeLines(aNodeView({ override: cordon }), nowMs).find((line) => line.startsWith("ordered"))).toMatch(
      / cordoned by Admin\/ada at 2026-06-01 00:58:00 UTC, 2 min ago$/,
    );
  });
});

describe("fleet node declare-dead", () => {
  const why = `waits for EC2's word on ${node}: its worker has been silent since 2026-06-01 00:10 UTC`;
  const held = { team: "vision", job: "train", attempt: 1, phase: "running", vcpus: 4, memoryGiB: 16, gpus: 1 } as const;
  const routes: Routes = {
    [`GET /v1/nodes/${node}`]: {
      body: aNodeView({ node, waitsFor: why, assignments: [held, { ...held, team: "research", job: undefined }] }),
    },
    [`POST /v1/nodes/${node}/declare-dead`]: { body: aNodeView({ node, state: "gone" }) },
  };

  test("the command names the risk and what will be started elsewhere, and asks before it declares", async () => {
    const { on, printed } = await start(routes);
    const asked: string[] = [];
    const confirm = async (question: string) => asked.push(question) > 0;
    expect(await declareDead(node, { reason: "lost" }, { ...on, confirm })).toBe(0);
    expect(asked).toEqual([`declare ${node} dead?`]);
    expect(printed.note).toEqual([
      why,
      `vision/train, a job of team research will be started elsewhere at once. If anything still runs on ${node}, a program runs twice at the same time, with its effects outside of Fleetwright`,
    ]);
    expect(printed.out[0]).toContain(`${node} is taken for dead`);
    expect(api.calls.at(-1)?.body).toEqual({ reason: "lost" });
  });

  test("a no changes nothing, and without a terminal the command needs --yes", async () => {
    const { on, printed } = await start(routes);
    expect(await declareDead(node, { reason: "lost" }, { ...on, confirm: async () => false })).toBe(1);
    expect(printed.note.at(-1)).toBe("nothing was changed");
    await expect(declareDead(node, { reason: "lost" }, on)).rejects.toThrow("add --yes to declare the node dead");
    expect(await declareDead(node, { reason: "lost", yes: true }, on)).toBe(0);
  });
});
