import { describe, expect, test } from "vitest";
import { poolNumbers } from "../../../lib/decide/health/pool-numbers.ts";
import { aNode, anAssignment, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const hour = 3_600_000;
const at = (over: object) => poolNumbers({ ...aSnapshot(over), queued: 0 });

describe("the numbers of a pool", () => {
  test("nodes are counted by state, and those that end or have ended are not counted", () => {
    const states = ["launching", "ready", "ready", "draining", "terminating", "gone"] as const;
    const nodes = states.map((state, n) => aNode({ id: `i-000000000000000${n}`, state }));
    expect(at({ nodes })).toMatchObject({ nodes: 4, nodesByState: { launching: 1, ready: 2, draining: 1 } });
  });

  test("GPUs are in use if an attempt holds them that runs or is about to, and not while it only uploads", () => {
    const holding = (phase: "placed" | "running" | "uploading", n: number) =>
      aNode({ id: `i-000000000000000${n}`, assignments: [anAssignment({ job: `job-${n}`, phase })] });
    expect(at({ nodes: [holding("placed", 1), holding("running", 2), holding("uploading", 3), aNode()] })).toMatchObject({
      gpus: 4,
      gpusInUse: 2,
    });
  });

  test("the cost of a day and of a month is that of nodes that have ended and of those that have not, with a budget or without", () => {
    const node = aNode({ launchedAtMs: monday });
    const spent = { dayUsd: 2, monthUsd: 30 };
    const { dayUsd, monthUsd } = at({ nodes: [node], spent, nowMs: monday + hour, pool: aPool() });
    expect(dayUsd).toBeCloseTo(2 + node.offer.usdPerHour);
    expect(monthUsd).toBeCloseTo(30 + node.offer.usdPerHour);
  });
});
