import { describe, expect, test } from "vitest";
import { allOperations } from "../../../lib/api/operations.ts";
import { aLaunch, aNode, aPool, monday } from "../../fakes/builders.ts";
import { ApiWorld, decisionId, nodeId, type Who } from "./api-world.ts";

/** Matches what only team research may see: the names of its jobs and data. */
const secrets = /secret|hidden|dogs/;

/** All paths that team vision may read. */
const open = allOperations
  .filter(({ method }) => method === "get")
  .map(({ path }) =>
    path
      .replace("{team}", "vision")
      .replace("{job}", "runs")
      .replace("{pool}", "gpu")
      .replace("{node}", nodeId(1))
      .replace("{decision}", decisionId(1))
      .replace("{dataset}", "cats"),
  );

describe("another team's names", () => {
  test.each(open)("the response of %s contains no names of another team", async (path) => {
    const { status, body } = await new ApiWorld().fetch(`/v1${path}`);
    // Only admins may see dead letters.
    expect(status).toBe(path === "/dead-letters" ? 403 : 200);
    expect(JSON.stringify(body)).not.toMatch(secrets);
  });

  test("an admin and the team itself see the team's names", async () => {
    for (const as of ["admin", "research"] satisfies Who[]) {
      const { body } = await new ApiWorld().fetch(`/v1/nodes/${nodeId(1)}`, { as });
      expect(JSON.stringify(body)).toMatch(secrets);
      const decision = await new ApiWorld().fetch(`/v1/pools/gpu/decisions/${decisionId(1)}`, { as });
      expect(JSON.stringify(decision.body)).toMatch(secrets);
    }
  });
});

test("a node shows another team's assignments without their jobs", async () => {
  const { body } = await new ApiWorld().fetch(`/v1/nodes/${nodeId(1)}`);
  expect(body).toMatchObject({
    assignments: [
      { team: "research", phase: "running", gpus: 1 },
      { team: "vision", job: "runs", attempt: 2, rank: 0 },
    ],
    samples: [{ index: 0, utilizationPercent: 97, throttled: ["sw_power_cap"] }],
    notice: { kind: "rebalance", at: "2026-06-01T00:00:01.000Z" },
    datasets: [{ team: "vision", dataset: "cats" }],
  });
});

test("a decision shows the steps of the caller's jobs in full, and of other teams' steps only what was done", async () => {
  const { body } = await new ApiWorld().fetch(`/v1/pools/gpu/decisions/${decisionId(1)}`);
  expect(body).toMatchObject({
    decision: decisionId(1),
    at: "2026-06-01T00:01:00.000Z",
    causes: ["job", "dataset vision/cats"],
    steps: { bind: 1, hold: 1, launch: 1, retire: 1 },
    leftOut: 0,
  });
  expect(body).toHaveProperty("taken", [
    { kind: "bind", team: "vision", job: "runs", attempt: 1, nodes: [nodeId(1)], because: "runs has room", outcome: "done" },
    { kind: "hold", team: "research", nodes: [] },
    {
      kind: "launch",
      team: "research",
      nodes: [],
      launch: { market: "spot", instanceTypes: ["g5.xlarge"], nodes: 1, reserved: { usdPerHour: 0.5, gpus: 1 }, jobs: 1 },
    },
    { kind: "retire", nodes: [nodeId(2)], because: "idle for 120 s", outcome: "done" },
  ]);
});

test("the list of pools shows the deployment's reservations, and to a team only its own", async () => {
  const world = new ApiWorld();
  const { fence } = await world.ledger.decisions.begin("gpu");
  for (const team of ["vision", "research"]) {
    const launch = aLaunch({ id: team, team });
    await world.ledger.placements.intend(fence, launch, { pool: { usdPerHour: 9, gpus: 9 } });
  }
  const vision = { team: "vision", limits: {}, reserved: { usdPerHour: 0.5, gpus: 1 } };
  const deployment = { limits: {}, reserved: { usdPerHour: 1, gpus: 2 } };
  expect((await world.fetch("/v1/pools")).body).toMatchObject({ deployment, teams: [vision] });
  expect((await world.fetch("/v1/pools", { as: "admin" })).body).toMatchObject({
    deployment,
    teams: [{ ...vision, team: "research" }, vision],
  });
});

test("a pool shows its limits, costs, queue, nodes, launches and refusals", async () => {
  const { body } = await new ApiWorld().fetch("/v1/pools/gpu");
  expect(body).toMatchObject({
    pool: "gpu",
    limits: { usdPerHour: 10, gpus: 8 },
    budgets: { usdPerDay: 100 },
    // Two nodes at half a dollar, for an hour.
    spent: { usdToday: 1, usdThisMonth: 1 },
    queue: { length: 1, oldestSubmittedAt: "2026-06-01T00:00:00.001Z" },
    nodes: { launching: 0, ready: 2, draining: 0, terminating: 0, gone: 0 },
    openLaunches: [{ launch: "launch-7", team: "research", nodes: 1, instanceTypes: ["g5.xlarge"] }],
    refusals: [{ instanceType: "g5.xlarge", code: "InsufficientInstanceCapacity" }],
    busy: false,
  });
});

test("a pool shows what teams have spent in it, to a team only its own, with the team's budget", async () => {
  const teamBudgets = { vision: { usdPerDay: 9, whenSpent: "drain" as const } };
  const world = new ApiWorld();
  const fleet = { ...world.apiDeps.fleet, pools: [aPool({ teamBudgets })] };
  const other = new ApiWorld({ fleet });
  const { fence } = await other.ledger.decisions.begin("gpu");
  for (const [index, team] of ["vision", "research"].entries()) {
    const node = aNode({ id: nodeId(7 + index), team, launchedAtMs: monday });
    other.ledger.table.putNode(node);
    other.ledger.table.reserve(node, { microUsd: 500_000, gpus: 1 });
    await other.ledger.placements.terminating(fence, node.id, monday + 1_800_000);
  }
  const [body, asAdmin] = [(await other.fetch("/v1/pools/gpu")).body, (await other.fetch("/v1/pools/gpu", { as: "admin" })).body];
  // An ended node for half an hour, and one of team vision that has run for an hour.
  const vision = { team: "vision", budgets: teamBudgets.vision, spent: { usdToday: 0.75, usdThisMonth: 0.75 } };
  expect(body).toMatchObject({ teamSpending: [vision] });
  expect(asAdmin).toMatchObject({ teamSpending: [{ team: "research", spent: { usdToday: 0.25, usdThisMonth: 0.25 } }, vision] });
});

test("the list of nodes goes through all pools, page by page", async () => {
  const world = new ApiWorld();
  const first = await world.fetch("/v1/nodes?limit=2");
  expect(first.body).toMatchObject({
    items: [{ node: nodeId(1) }, { node: nodeId(2), idleSince: "2026-06-01T00:02:00.000Z" }],
    cursor: `gpu/${nodeId(2)}`,
  });
  const second = await world.fetch(`/v1/nodes?limit=2&cursor=gpu/${nodeId(2)}`);
  expect(second.body).toEqual({ items: [expect.objectContaining({ node: nodeId(3), pool: "lab", state: "launching" })] });
  expect((await world.fetch("/v1/nodes?pool=lab")).body).toMatchObject({ items: [{ node: nodeId(3) }] });
});

describe("me", () => {
  test.each([
    ["vision", { admin: false, team: "vision", teams: ["vision"], pools: ["gpu"] }],
    ["research", { admin: false, team: "research", teams: ["research"], pools: ["gpu", "lab"] }],
    ["admin", { admin: true, team: null, teams: ["research", "vision"], pools: ["gpu", "lab"] }],
  ] satisfies [Who, object][])("the caller %s sees its teams and pools", async (as, me) => {
    expect((await new ApiWorld().fetch("/v1/me", { as })).body).toMatchObject({ ...me, name: "fleetwright", defaultPool: "gpu" });
  });
});
