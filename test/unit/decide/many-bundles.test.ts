import { expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { anEntry, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

test("one decision launches at most 400 nodes of their own, and the next one follows at once for the other jobs", () => {
  const needs = { vcpus: 3, memoryGiB: 12, gpus: 1 };
  const { steps, wakeAtMs } = decide(
    aSnapshot({
      pool: aPool({ limits: { usdPerHour: 10_000, gpus: 10_000 } }),
      queue: Array.from({ length: 405 }, (_, n) => anEntry({ job: `j${String(n).padStart(3, "0")}`, needs })),
    }),
  );
  const launched = steps.reduce((sum, step) => sum + (step.kind === "launch" ? step.launch.count : 0), 0);
  expect(launched).toBe(400);
  expect(steps.every(({ kind }) => kind === "launch")).toBe(true);
  expect(wakeAtMs).toBe(monday);
});
