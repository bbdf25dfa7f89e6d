import { expect, test } from "vitest";
import { runThreads } from "../../../lib/cli/chaos/threads.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";

test("runs that threads share are all done, and none twice", async () => {
  const watching = { signal: new AbortController().signal, far: () => undefined };
  const job = { scenario: Scenario.parse({}), first: 7, runs: 5 };
  const [together, alone] = [await runThreads(job, 2, watching), await runThreads(job, 1, watching)];
  expect(together.runs).toBe(5);
  expect(together).toMatchObject({ events: alone.events, faults: alone.faults, jobs: alone.jobs });
});
