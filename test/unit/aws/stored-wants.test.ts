import { expect, test } from "vitest";
import { SharedWants, wantsText } from "../../../lib/aws/table/items/stored-wants.ts";
import type { Wants } from "../../../lib/model/wants.ts";

test("the stored form of a job's wants keeps all of them", () => {
  const wants: Wants = {
    needs: { vcpus: 8, memoryGiB: 32, gpus: 2 },
    gpu: { memoryGiB: 20, models: ["A10G"] },
    spot: false,
    nodes: 3,
    datasets: [
      { name: "images", share: "whole" },
      { name: "words", share: "part" },
    ],
    zones: ["us-east-1a"],
  };
  expect(SharedWants.parse(wantsText(wants))).toEqual(wants);
});

test("wants that the first release stored can still be read", () => {
  expect(SharedWants.parse('{"v":2,"m":8,"g":1,"s":true}')).toEqual({
    needs: { vcpus: 2, memoryGiB: 8, gpus: 1 },
    gpu: { memoryGiB: 0, models: [] },
    spot: true,
    nodes: 1,
    datasets: [],
    zones: [],
  });
});

test("jobs that want the same share what is read of them, and others do not", () => {
  const item = { v: 2, m: 8, g: 1, s: true, gn: ["A10G"] };
  const read = SharedWants.parse(JSON.stringify(item));
  expect(SharedWants.parse(JSON.stringify(item))).toBe(read);
  for (const other of Object.entries({ v: 3, m: 9, g: 2, s: false, gn: ["T4"], gm: 1, n: 2, dw: ["a"], dp: ["a"], z: ["us-east-1a"] }))
    expect(SharedWants.parse(JSON.stringify({ ...item, ...Object.fromEntries([other]) }))).not.toEqual(read);
});

test.each([undefined, "wants", '{"v":2}', '{"v":2,"m":8,"g":1,"s":"yes"}', { v: 2, m: 8, g: 1, s: true }])(
  "wants that cannot be read are refused, with the fields that cannot: %j",
  (item) => {
    const parsed = SharedWants.safeParse(item);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.length).toBeGreaterThan(0);
  },
);
