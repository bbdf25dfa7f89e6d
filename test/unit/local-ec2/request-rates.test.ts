import { expect, it } from "vitest";
import { createRequestRates } from "../../../lib/local/ec2/calls/request-rates.ts";

function stage(rates: Parameters<typeof createRequestRates>[0]) {
  const clock = { nowMs: 1_000_000 };
  const limits = createRequestRates(rates, () => clock.nowMs);
  const taken = (action: string, tries = 100): number => {
    for (let count = 0; count < tries; count += 1) {
      try {
        limits.take(action);
      } catch (error) {
        expect(error).toMatchObject({ code: "RequestLimitExceeded", status: 503 });
        return count;
      }
    }
    return tries;
  };
  return { clock, limits, taken };
}

it("a request rate allows a burst, then its rate per second, and never more than the bucket holds", () => {
  const { clock, taken } = stage({ CreateFleet: { burst: 5, perSecond: 2 } });
  expect(taken("CreateFleet")).toBe(5);
  clock.nowMs += 499;
  expect(taken("CreateFleet")).toBe(0);
  clock.nowMs += 1;
  expect(taken("CreateFleet")).toBe(1);
  clock.nowMs += 3_600_000;
  expect(taken("CreateFleet")).toBe(5);
});

it("request rates limit actions separately, and unlisted actions only if there is a rate for all", () => {
  const { limits, taken } = stage({ CreateFleet: { burst: 1, perSecond: 1 } });
  expect([taken("CreateFleet"), taken("DescribeInstances")]).toEqual([1, 100]);
  limits.set("*", { burst: 3, perSecond: 1 });
  expect([taken("DescribeInstances"), taken("TerminateInstances")]).toEqual([3, 3]);
  expect(limits.refused.get("DescribeInstances")).toBe(1);
});

it("a new request rate starts with a full bucket, a removed one no longer limits, and a clock that goes back adds no tokens", () => {
  const { clock, limits, taken } = stage({ CreateFleet: { burst: 2, perSecond: 1 } });
  expect(taken("CreateFleet")).toBe(2);
  clock.nowMs -= 60_000;
  expect(taken("CreateFleet")).toBe(0);
  limits.set("CreateFleet", { burst: 4, perSecond: 1 });
  expect(taken("CreateFleet")).toBe(4);
  limits.set("CreateFleet", undefined);
  expect(taken("CreateFleet")).toBe(100);
});
