import { describe, expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { replacements } from "../../../lib/decide/scaling/replacements.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { aCatalogue, aLaunch, aNode, anAssignment, anOffer, aPool, aRefusal, aSnapshot, monday } from "../../fakes/builders.ts";

const now = monday + 3_600_000;
const running = [anAssignment({ phase: "running" })];
/** A node that works on although EC2 recommended a minute ago to leave it. */
const ward = aNode({ id: "ward", state: "draining", notice: { kind: "rebalance", atMs: now - 60_000 }, assignments: running });
const elsewhere = anOffer({ zone: "us-east-1b", usdPerHour: 0.6 });

const launchesFor = (
  over: Partial<Snapshot>,
  of: { free?: readonly Node[]; planned?: Parameters<typeof replacements>[1]["planned"] } = {},
) => decided(over, of).steps;
const decided = (over: Partial<Snapshot>, of: { free?: readonly Node[]; planned?: Parameters<typeof replacements>[1]["planned"] } = {}) => {
  const snapshot = aSnapshot({
    nowMs: now,
    reserved: { usdPerHour: 0.5, gpus: 1 },
    nodes: [ward],
    catalogue: aCatalogue({ offers: [anOffer(), elsewhere, anOffer({ market: "on-demand", usdPerHour: 0.9 })] }),
    ...over,
  });
  return replacements(snapshot, { planned: of.planned ?? [], free: of.free ?? [], budget: budgetRoom(snapshot) });
};

describe("a node that EC2 recommends to leave, and that works", () => {
  test("a node to leave gets a replacement of its type and market, in another zone if there is one", () => {
    expect(launchesFor({})).toMatchObject([
      {
        kind: "launch",
        launch: { replaces: "ward", offers: [elsewhere], market: "spot", team: "vision", count: 1, reserved: { gpus: 1 } },
      },
    ]);
    expect(launchesFor({ catalogue: aCatalogue() })).toMatchObject([{ launch: { offers: [anOffer()] } }]);
  });

  test.each<[string, Partial<Snapshot>]>([
    ["EC2 already takes it back", { nodes: [{ ...ward, notice: { kind: "interruption", atMs: now - 1 } }] }],
    ["the recommendation is old", { nodes: [{ ...ward, notice: { kind: "rebalance", atMs: now - 900_000 } }] }],
    ["none of its work has started", { nodes: [{ ...ward, assignments: [anAssignment()] }] }],
    ["a replacement was launched", { nodes: [ward, aNode({ id: "r", replaces: "ward", state: "launching" })] }],
    ["a replacement is being launched", { openLaunches: [aLaunch({ replaces: "ward" })] }],
    ["the limits leave no room", { pool: aPool({ limits: { usdPerHour: 1, gpus: 8 } }) }],
    ["the GPUs leave no room", { pool: aPool({ limits: { usdPerHour: 10, gpus: 1 } }) }],
    [
      "the deployment's limit leaves no room",
      { wider: { limits: { deployment: { gpus: 5 }, teams: {} }, reserved: { deployment: { usdPerHour: 9, gpus: 5 }, teams: {} } } },
    ],
    [
      "its team's limit leaves no room",
      {
        wider: {
          limits: { teams: { vision: { usdPerHour: 1 } } },
          reserved: { deployment: { usdPerHour: 9, gpus: 5 }, teams: { vision: { usdPerHour: 0.5, gpus: 1 } } },
        },
      },
    ],
    ["the budget is used up", { pool: aPool({ budgets: { usdPerDay: 0.1 } }), spent: { dayUsd: 1, monthUsd: 1 } }],
    ["there are no prices", { catalogue: undefined }],
    ["all offers of its type are refused", { refusals: [anOffer(), elsewhere].map(({ zone }) => aRefusal({ zone, untilMs: now + 1 })) }],
    [
      "its type does not boot in any zone",
      {
        bootFailures: [anOffer(), elsewhere].flatMap(({ instanceType, zone }) =>
          [1, 2, 3].map((n) => ({ node: `${zone}-${n}`, instanceType, zone, atMs: now - n })),
        ),
      },
    ],
  ])("a node to leave gets no replacement if %s", (_when, over) => {
    expect(launchesFor(over)).toEqual([]);
  });

  test("a node to leave gets no replacement if a free node can take over, and a free node takes over for one node only", () => {
    const free = [aNode({ id: "free" })];
    expect(decided({}, { free })).toEqual({ steps: [], kept: new Set(["free"]) });
    expect(launchesFor({ nodes: [ward, { ...ward, id: "ward-2" }] }, { free })).toHaveLength(1);
    expect(launchesFor({}, { free: [aNode({ id: "free", team: "audio" })] })).toHaveLength(1);
  });

  test("a replacement shares the limits with the plan's launches and with other replacements", () => {
    const nodes = [ward, { ...ward, id: "ward-2" }, { ...ward, id: "ward-3" }];
    expect(launchesFor({ nodes, pool: aPool({ limits: { usdPerHour: 10, gpus: 3 } }) })).toHaveLength(2);
    const { id: _id, clientToken: _token, intendedAtMs: _at, ...launch } = aLaunch();
    const planned = [{ kind: "launch", launch, because: "a job waits" } as const];
    expect(launchesFor({ nodes, pool: aPool({ limits: { usdPerHour: 10, gpus: 3 } }) }, { planned })).toHaveLength(1);
  });
});
