import { expect, it } from "vitest";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";

const offer = { instanceType: "a", zone: "z", market: "spot" } as const;

it("capacity follows its plan and reports when the plan next changes it", () => {
  let nowMs = 0;
  const capacity = createCapacity(
    {
      "a/z/spot": [
        [100, 2],
        [200, 0],
      ],
      "*/*/*": 9,
    },
    () => nowMs,
  );
  expect([capacity.room(offer), capacity.nextChangeMs()]).toEqual([Number.POSITIVE_INFINITY, 100]);
  nowMs = 100;
  expect([capacity.take(offer, 3), capacity.excess(offer), capacity.nextChangeMs()]).toEqual([2, 0, 200]);
  nowMs = 250;
  expect([capacity.room(offer), capacity.excess(offer), capacity.nextChangeMs()]).toEqual([0, 2, undefined]);
  capacity.giveBack(offer, 2);
  expect([capacity.room(offer), capacity.excess(offer)]).toEqual([0, 0]);
});
