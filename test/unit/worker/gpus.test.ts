import { expect, test } from "vitest";
import { allotGpus } from "../../../lib/worker/attempt/gpus.ts";

test("an attempt gets the lowest GPUs that no other attempt holds", () => {
  expect(allotGpus(2, [])).toEqual([0, 1]);
  expect(allotGpus(2, [[0], [2, 3]])).toEqual([1, 4]);
  expect(allotGpus(0, [[0]])).toEqual([]);
});
