import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { consolidation } from "../../../lib/decide/scaling/consolidation.ts";
import type { Assignment, Node } from "../../../lib/model/node.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { aCatalogue, aNode, anAssignment, anEntry, anOffer, aPool, aSnapshot, aType, monday } from "../../fakes/builders.ts";

const minute = 60_000;
const pool = aPool({ consolidateSeconds: 600, drainSeconds: 120, disruption: { nodes: 2 } });
const eight = aType({ name: "g5.48xlarge", resources: { vcpus: 192, memoryGiB: 768, gpus: 8 } });
const nowMs = monday + 60 * minute;

/** Returns a node of eight GPUs, with `used` of them in use by one job each since it was ready. */
const node = (id: string, used: number, over: Partial<Node> = {}, held: Partial<Assignment> = {}): Node =>
  aNode({
    id,
    type: eight,
    offer: anOffer({ instanceType: eight.name, usdPerHour: 5 }),
    launchedAtMs: monday,
    readyAtMs: monday,
    lastBusyMs: monday,
    assignments: Array.from({ length: used }, (_, n) =>
      anAssignment({ job: `${id}-${n}`, phase: "running", needs: { vcpus: 4, memoryGiB: 8, gpus: 1 }, ...held }),
    ),
    ...over,
  });
const drained = (nodes: readonly Node[], over = {}, at = { nowMs, most: 2 }) =>
  consolidation(nodes, { ...pool, ...over }, at).map((step) => step.node);

describe("a node with little work", () => {
  test("a node with little work is drained, without a replacement, if another node has room for all of its work", () => {
    expect(consolidation([node("a", 1), node("b", 6, { offer: anOffer({ usdPerHour: 4 }) })], pool, { nowMs, most: 1 })).toEqual([
      {
        kind: "drain",
        node: "a",
        untilMs: nowMs + 120_000,
        hasRoom: true,
        because: "what runs on it has room on b, and $5/h is saved",
      },
    ]);
  });

  test("a node with little work is left alone if the pool does not consolidate, or something has changed on it lately", () => {
    expect(drained([node("a", 1), node("b", 6)], { consolidateSeconds: undefined })).toEqual([]);
    const fresh = node("a", 1, { lastBusyMs: nowMs - 9 * minute, readyAtMs: nowMs - 9 * minute });
    expect(drained([fresh, node("b", 6)])).toEqual([]);
  });

  test("the work of a node may move to several nodes, and no room is used twice", () => {
    expect(drained([node("a", 2, { offer: anOffer({ usdPerHour: 9 }) }), node("b", 7), node("c", 7), node("d", 8)])).toEqual(["a"]);
    expect(drained([node("a", 3, { offer: anOffer({ usdPerHour: 9 }) }), node("b", 7), node("c", 7)])).toEqual([]);
  });

  test("work does not move to a node that is being drained itself", () => {
    const dear = (id: string) => node(id, 1, { offer: anOffer({ usdPerHour: 9 }) });
    const steps = consolidation([dear("a"), dear("b"), dear("c")], pool, { nowMs, most: 2 });
    expect(steps.map(({ node: id, because }) => [id, because])).toEqual([
      ["a", "what runs on it has room on b, and $9/h is saved"],
      ["c", "what runs on it has room on b, and $9/h is saved"],
    ]);
    expect(drained([dear("a"), dear("b"), dear("c")], {}, { nowMs, most: 1 })).toEqual(["a"]);
  });

  test.each<[string, Partial<Assignment>]>([
    ["has started again before", { attempt: 2 }],
    ["has not started", { phase: "placed" }],
    ["uploads", { phase: "uploading" }],
    ["belongs to a gang", { rank: 0 }],
    ["would have to fetch its data again", { datasets: [{ name: "words", share: "whole" }] }],
  ])("a node is not drained if the job on it %s", (_what, held) => {
    expect(drained([node("a", 1, { offer: anOffer({ usdPerHour: 9 }) }, held), node("b", 6)])).toEqual([]);
  });

  test("a job with datasets may move to a node that has its data", () => {
    const fetched = [{ team: "vision", dataset: "words", version: 1, shards: 1, bytes: 1 }];
    const held: Partial<Assignment> = { datasets: [{ name: "words", share: "whole" }] };
    expect(drained([node("a", 1, { offer: anOffer({ usdPerHour: 9 }) }, held), node("b", 6, { datasets: fetched })])).toEqual(["a"]);
  });

  const fastidious: Partial<Assignment> = { spot: false, gpu: { memoryGiB: 0, models: ["A10G"] }, zones: ["us-east-1a"] };
  test.each<[string, Partial<Node>]>([
    ["of another team", { team: "speech" }],
    ["with GPUs that the job does not accept", { type: { ...eight, gpu: { model: "T4", memoryGiB: 16 } } }],
    ["that EC2 may take back, if the job refuses spot", { offer: anOffer({ market: "spot", usdPerHour: 1 }) }],
    ["in a zone that the job does not accept", { offer: anOffer({ market: "on-demand", zone: "us-east-1b", usdPerHour: 1 }) }],
    ["that has nothing to do", { assignments: [] }],
    ["that boots", { state: "launching" }],
  ])("work does not move to a node %s", (_what, over) => {
    const dear = node("a", 1, { offer: anOffer({ market: "on-demand", usdPerHour: 9 }) }, fastidious);
    const other = node("b", 6, { offer: anOffer({ market: "on-demand", usdPerHour: 1 }), ...over });
    expect(drained([dear, other])).toEqual([]);
    expect(drained([dear, node("b", 6, { offer: anOffer({ market: "on-demand", usdPerHour: 1 }) })])).toEqual(["a"]);
  });
});

describe("the savings of a drain", () => {
  const long = 600 * minute;

  test("a drain pays if the node's price for as long again is more than twice the price of what was in use so far", () => {
    const at = { nowMs: monday + long, most: 1 };
    const full = node("b", 4);
    expect(drained([node("a", 4, { offer: anOffer({ usdPerHour: 9 }) }), full], {}, at)).toEqual(["a"]);
    expect(drained([node("a", 5, { offer: anOffer({ usdPerHour: 9 }) }), node("b", 3)], {}, at)).toEqual(["b"]);
    expect(drained([node("a", 5, { offer: anOffer({ usdPerHour: 9 }) }), node("b", 5)], {}, at)).toEqual([]);
  });

  test("a drain does not pay if the node has worked for a long time on what it runs", () => {
    const busy = node("a", 2, { offer: anOffer({ usdPerHour: 9 }), lastBusyMs: monday + long - 30 * minute });
    expect(drained([busy, node("b", 6)], {}, { nowMs: monday + long, most: 1 })).toEqual([]);
  });
});

describe("a decision", () => {
  const seen = (over: Partial<Snapshot> = {}): Snapshot =>
    aSnapshot({
      nowMs,
      pool: aPool({ ...pool, limits: { usdPerHour: 100, gpus: 100 } }),
      reserved: { usdPerHour: 10, gpus: 16 },
      nodes: [node("a", 1), node("b", 6)].map((each) => ({ ...each, lastSeenMs: nowMs })),
      catalogue: aCatalogue({ types: [eight], offers: [anOffer({ instanceType: eight.name })] }),
      ...over,
    });
  const drains = (snapshot: Snapshot) => decide(snapshot).steps.filter(({ kind }) => kind === "drain");

  test("a decision drains a node with little work, and launches nothing for it when its time is up", () => {
    const [drain, ...others] = drains(seen());
    expect(others).toEqual([]);
    if (drain?.kind !== "drain") throw new Error("nothing was drained");
    const { kind: _, node: id, ...rest } = drain;
    const nodes = seen().nodes.map((each) => (each.id === id ? { ...each, state: "draining" as const, drain: rest } : each));
    const { steps } = decide(seen({ nodes, nowMs: nowMs + 60_000 }));
    expect(steps.filter(({ kind }) => kind === "launch")).toEqual([]);
  });

  test("a decision drains no node for consolidation while a job waits or the budget is used up", () => {
    expect(drains(seen({ queue: [anEntry({ job: "waits", nodes: 3, needs: { vcpus: 4, memoryGiB: 8, gpus: 8 } })] }))).toEqual([]);
    const spent = { dayUsd: 50, monthUsd: 50 };
    expect(drains(seen({ spent, pool: aPool({ ...pool, budgets: { usdPerDay: 10 } }) }))).toEqual([]);
  });

  test("a decision drains no more nodes for consolidation than the disruption budget allows", () => {
    expect(drains(seen({ pool: aPool({ ...pool, disruption: { nodes: 0 } }) }))).toEqual([]);
  });
});
