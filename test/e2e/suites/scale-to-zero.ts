import { expect, it } from "vitest";
import type { Stage } from "../stage.ts";

/** Must run after tests that launched nodes. */
export function scaleToZeroTests(on: () => Stage): void {
  it("the fleet returns to zero, and no launch happened twice", async () => {
    const stage = on();
    await expect.poll(() => stage.cloud.ec2.record.remaining().length, { timeout: 60_000, interval: 200 }).toBe(0);
    // A decision that raced another may have repeated its request; by its token, EC2 launched nothing new.
    const launched = stage.cloud.ec2.record.fleetCalls.filter((call) => !call.replayed).map((call) => call.clientToken);
    expect(launched.length).toBeGreaterThan(0);
    expect(new Set(launched).size).toBe(launched.length);
  });
}
