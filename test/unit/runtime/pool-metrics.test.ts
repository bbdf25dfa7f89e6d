import { afterEach, expect, test, vi } from "vitest";
import { publishPoolNumbers } from "../../../lib/runtime/pool-metrics.ts";
import { writtenMetrics } from "../../fakes/written-metrics.ts";

const numbers = {
  nodes: 2,
  gpus: 5,
  nodesByState: { launching: 1, ready: 1, draining: 0 },
  gpusInUse: 3,
  gpuUtilization: 61.5,
  queuedJobs: 3,
  oldestQueuedSeconds: 90,
  reservedUsdPerHour: 2.5,
  openBreakers: 0,
  dayUsd: 12.5,
  monthUsd: 80,
  unreadableItems: 0,
  stuckSteps: 0,
  waitingNodes: 0,
};

afterEach(() => void vi.restoreAllMocks());

/** Returns the embedded metrics that are written while `work` runs, without those about the whole deployment. */
const written = (work: () => void) => writtenMetrics(work).filter((line) => line["pool"] !== undefined);

test("a pool's own metrics have the dimensions fleet and pool and no others", () => {
  const [line, ...others] = written(() => publishPoolNumbers({ fleet: "fleetwright", pool: "gpu" }, numbers));
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    fleet: "fleetwright",
    pool: "gpu",
    Nodes: 2,
    Gpus: 5,
    GpuUtilization: 61.5,
    QueuedJobs: 3,
    OldestQueuedSeconds: 90,
    ReservedUsdPerHour: 2.5,
    _aws: {
      CloudWatchMetrics: [
        {
          Namespace: "Fleetwright",
          Dimensions: [["fleet", "pool"]],
          Metrics: expect.arrayContaining([
            { Name: "GpuUtilization", Unit: "Percent" },
            { Name: "OldestQueuedSeconds", Unit: "Seconds" },
          ]),
        },
      ],
    },
  });
  expect(line).not.toHaveProperty("service");
});

test.each([
  ["open breakers", { openBreakers: 2 }, "OpenBreakers"],
  ["unreadable items", { unreadableItems: 2 }, "UnreadableItems"],
])("the metric of %s is published only if there are any", (_what, over, metric) => {
  const lines = written(() => {
    publishPoolNumbers({ fleet: "fleetwright", pool: "gpu" }, numbers);
    publishPoolNumbers({ fleet: "fleetwright", pool: "cpu" }, { ...numbers, ...over });
  });
  expect(lines.map((line) => [line["pool"], line[metric]])).toEqual([
    ["gpu", undefined],
    ["cpu", 2],
  ]);
});

test("how much of its budgets a pool has used is published only if it has any", () => {
  const lines = written(() => {
    publishPoolNumbers({ fleet: "fleetwright", pool: "gpu" }, numbers);
    publishPoolNumbers({ fleet: "fleetwright", pool: "cpu" }, { ...numbers, budgetUsedPercent: 0, teamBudgetUsedPercent: 120.5 });
  });
  expect(lines.map((line) => [line["BudgetUsed"], line["TeamBudgetUsed"]])).toEqual([
    [undefined, undefined],
    [0, 120.5],
  ]);
});

test("two pools' metrics do not mix, and an unknown GPU utilization is not published", () => {
  const { gpuUtilization: _none, ...silent } = numbers;
  const lines = written(() => {
    publishPoolNumbers({ fleet: "fleetwright", pool: "gpu" }, numbers);
    publishPoolNumbers({ fleet: "fleetwright", pool: "cpu" }, silent);
  });
  expect(lines.map((line) => [line["pool"], line["GpuUtilization"]])).toEqual([
    ["gpu", 61.5],
    ["cpu", undefined],
  ]);
});

test("what is stuck is published also if it is nothing, for one alarm about all pools", () => {
  const lines = writtenMetrics(() => {
    publishPoolNumbers({ fleet: "fleetwright", pool: "gpu" }, { ...numbers, stuckSteps: 1, waitingNodes: 2 });
    publishPoolNumbers({ fleet: "fleetwright", pool: "cpu" }, numbers);
  }).filter((line) => line["Stuck"] !== undefined);
  expect(lines).toMatchObject(
    [3, 0].map((Stuck) => ({ fleet: "fleetwright", Stuck, _aws: { CloudWatchMetrics: [{ Dimensions: [["fleet"]] }] } })),
  );
  for (const line of lines) expect(Object.keys(line).toSorted()).toEqual(["Stuck", "_aws", "fleet"]);
});
