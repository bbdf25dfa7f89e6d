import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { InstanceRecord } from "../../../lib/local/ec2/instances/instance.ts";
import { reclaim } from "../../../lib/local/ec2/instances/reclaim.ts";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const instance = (id: string, over: Partial<InstanceRecord> = {}): InstanceRecord => ({
  id,
  region: "us-east-1",
  instanceType: "g5.xlarge",
  zone: "us-east-1a",
  market: "spot",
  imageId: "ami-1",
  privateIp: "10.0.0.1",
  accountId: "123456789012",
  tags: {},
  launchedAtMs: 0,
  states: [{ state: "running", atMs: 0, because: "launched" }],
  folder: "/nowhere",
  notices: {},
  vanished: false,
  ...over,
});

it("reclaim misses no change of a capacity plan, even if it happens during a look", async () => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    // The clock returns 99 for a number of reads, then 100, when the plan changes.
    let left = ticks;
    const sinceMs = (): number => {
      left -= 1;
      return left >= 0 ? 99 : 100;
    };
    const capacity = createCapacity(
      {
        "*/*/*": [
          [0, 2],
          [100, 1],
        ],
      },
      sinceMs,
    );
    const instances = ["i-oldest", "i-newest"].map((id) => instance(id));
    for (const one of instances) capacity.hold(one);
    const interrupt = vi.fn((id: string) => {
      instances[instances.findIndex((one) => one.id === id)] = { ...instance(id), notices: { endsAtMs: 1000 } };
      return 1000;
    });
    const reclaiming = reclaim({ capacity, lifecycle: { instances, interrupt }, sinceMs });
    await vi.advanceTimersByTimeAsync(1000);
    reclaiming.stop();
    expect([ticks, interrupt.mock.calls]).toEqual([ticks, [["i-newest"]]]);
  }
});

const states = (state: "shutting-down" | "terminated") =>
  ["running", state].map((each, atMs) => ({ state: each as typeof state, atMs, because: "launched" }));

/** Returns what is interrupted if there is room for one instance per offer. */
function interrupted(...instances: readonly InstanceRecord[]): readonly string[] {
  const capacity = createCapacity({ "*/*/*": 1 }, () => 0);
  for (const one of instances) capacity.hold(one);
  const interrupt = vi.fn((_id: string) => 1_000);
  reclaim({ capacity, lifecycle: { instances, interrupt }, sinceMs: () => 0 }).stop();
  return interrupt.mock.calls.map(([id]) => id);
}

it("the newest spot instances are interrupted, as many of each offer as there are too many", () => {
  const other = { zone: "us-east-1b" };
  expect(interrupted(instance("i-1"), instance("i-2"), instance("i-3"), instance("i-4", other))).toEqual(["i-3", "i-2"]);
  expect(interrupted(instance("i-1"), instance("i-2", other))).toEqual([]);
});

it("an instance that is about to end counts as one of those that leave, and an on-demand instance stays", () => {
  expect(interrupted(instance("i-1"), instance("i-2"), instance("i-3", { states: states("shutting-down") }))).toEqual(["i-2"]);
  expect(interrupted(instance("i-1"), instance("i-2"), instance("i-3", { notices: { endsAtMs: 5 } }))).toEqual(["i-2"]);
  expect(interrupted(instance("i-1"), instance("i-2"), instance("i-3", { states: states("terminated") }))).toEqual(["i-2", "i-1"]);
  expect(interrupted(instance("i-1", { market: "on-demand" }), instance("i-2", { market: "on-demand" }))).toEqual([]);
});

it("a change of the plan that is further away than a timer can wait is not looked for all the time", async () => {
  const capacity = createCapacity({ "*/*/*": [[0, 2] as const, [2 ** 31 + 10, 1] as const] }, () => 0);
  let looks = 0;
  const lifecycle = {
    get instances() {
      looks += 1;
      return [];
    },
    interrupt: () => 0,
  };
  const reclaiming = reclaim({ capacity, lifecycle, sinceMs: () => 0 });
  await vi.advanceTimersByTimeAsync(1_000);
  reclaiming.stop();
  expect(looks).toBe(1);
});
