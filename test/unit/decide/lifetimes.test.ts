import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { lifetimes } from "../../../lib/decide/scaling/lifetimes.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { aNode, anAssignment, anEntry, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const pool = aPool({ maxLifetimeSeconds: 3600, drainSeconds: 600, disruption: { nodes: 1 } });
const drainMs = monday + 3_000_000;
const endMs = monday + 3_600_000;
const working = (id: string, over: Partial<Node> = {}): Node => aNode({ id, assignments: [anAssignment({ phase: "running" })], ...over });
const because = "its life of 3600 s ends";

describe("the end of a node's life", () => {
  test("a node is drained the pool's drain time before its life ends, and gets nothing new", () => {
    expect(lifetimes([working("n")], pool, drainMs)).toEqual({
      steps: [{ kind: "drain", node: "n", untilMs: endMs, because }],
      leaving: new Set(["n"]),
      wakeAtMs: undefined,
    });
    expect(lifetimes([working("n")], pool, drainMs - 1)).toEqual({ steps: [], leaving: new Set(), wakeAtMs: drainMs });
  });

  test("a node has no end of life if the pool sets no lifetime", () => {
    expect(lifetimes([working("n")], aPool(), drainMs + 1e12).steps).toEqual([]);
  });

  test("old nodes that hold nothing are given back at once, however many, because that disrupts no job", () => {
    const nodes = [aNode({ id: "a" }), aNode({ id: "b" }), working("c")];
    expect(lifetimes(nodes, pool, drainMs).steps).toMatchObject([
      { kind: "retire", node: "a" },
      { kind: "retire", node: "b" },
      { kind: "drain", node: "c" },
    ]);
  });

  test("an old node is drained if EC2 only recommends to leave it, but not if EC2 takes it back", () => {
    const noticed = (kind: "rebalance" | "interruption") => working("n", { state: "draining", notice: { kind, atMs: monday } });
    expect(lifetimes([noticed("rebalance")], pool, drainMs).steps).toMatchObject([{ kind: "drain" }]);
    expect(lifetimes([noticed("interruption")], pool, drainMs).steps).toEqual([]);
  });
});

describe("the disruption budget", () => {
  const drained = working("drained", { state: "draining", drain: { because, untilMs: endMs } });

  test("the disruption budget limits how many nodes with work are drained at a time, the oldest first", () => {
    const nodes = [working("young", { launchedAtMs: monday + 1 }), working("old"), working("same-age")];
    const plan = lifetimes(nodes, pool, drainMs + 5);
    expect(plan.steps).toMatchObject([{ kind: "drain", node: "old" }]);
    expect(plan.wakeAtMs).toBe(endMs);
  });

  test("the disruption budget counts only drained nodes that still hold something", () => {
    expect(lifetimes([drained, working("n")], pool, drainMs).steps).toEqual([]);
    expect(lifetimes([{ ...drained, assignments: [] }, working("n")], pool, drainMs).steps).toHaveLength(1);
    const byEc2 = working("byEc2", { state: "draining", notice: { kind: "interruption", atMs: monday } });
    expect(lifetimes([byEc2, working("n")], pool, drainMs).steps).toHaveLength(1);
  });

  test("the disruption budget may be a share of the nodes, and is at least one node", () => {
    const ten = Array.from({ length: 10 }, (_, n) => working(`n${n}`));
    expect(lifetimes(ten, { ...pool, disruption: { share: 0.3 } }, drainMs).steps).toHaveLength(3);
    expect(lifetimes(ten, { ...pool, disruption: { share: 0 } }, drainMs).steps).toHaveLength(1);
    expect(lifetimes(ten, { ...pool, disruption: { nodes: 0 } }, drainMs).steps).toHaveLength(0);
  });

  test("the disruption budget keeps no node beyond the end of its life", () => {
    expect(lifetimes([drained, working("n")], { ...pool, disruption: { nodes: 0 } }, endMs).steps).toMatchObject([
      { kind: "drain", node: "n", untilMs: endMs },
    ]);
  });
});

describe("a decision for a pool with lifetimes", () => {
  const seen = (over: Partial<Snapshot>): Snapshot => aSnapshot({ nowMs: drainMs, pool, reserved: { usdPerHour: 0.5, gpus: 1 }, ...over });
  const roomy = working("n", { assignments: [anAssignment({ needs: { vcpus: 1, memoryGiB: 1, gpus: 0 }, phase: "running" })] });
  const alive = { lastSeenMs: drainMs };

  test("a decision gives nothing to a node that it drains, although it has room", () => {
    const steps = decide(seen({ queue: [anEntry()], nodes: [{ ...roomy, ...alive }] })).steps;
    expect(steps.map(({ kind }) => kind)).toEqual(["drain", "launch"]);
  });

  test("a decision launches a node one boot time before work must leave, and keeps that node until then", () => {
    const leaving = working("n", { ...alive, state: "draining", drain: { because, untilMs: drainMs + 600_000 } });
    const launch = decide(seen({ nodes: [leaving] })).steps;
    expect(launch).toMatchObject([
      { kind: "launch", launch: { replaces: "n", jobs: [], count: 1, reserved: { usdPerHour: 0.5, gpus: 1 } } },
    ]);
    const earlier = { ...leaving, drain: { because, untilMs: drainMs + 600_001 } };
    expect(decide(seen({ nodes: [earlier] })).steps).toEqual([]);
    const replacement = aNode({ id: "r", replaces: "n", launchedAtMs: drainMs - 500_000, readyAtMs: drainMs - 400_000, ...alive });
    expect(decide(seen({ nodes: [leaving, replacement] })).steps).toEqual([]);
    expect(decide(seen({ nodes: [replacement] })).steps).toMatchObject([{ kind: "retire", node: "r" }]);
  });
});
