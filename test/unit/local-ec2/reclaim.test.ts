import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { InstanceRecord } from "../../../lib/local/ec2/instances/instance.ts";
import { reclaim } from "../../../lib/local/ec2/instances/reclaim.ts";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const instance = (id: string): InstanceRecord => ({
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
    const instances = ["i-oldest", "i-newest"].map(instance);
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
