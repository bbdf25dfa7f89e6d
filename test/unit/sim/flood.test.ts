import { expect, test } from "vitest";
import { readJob } from "../../../lib/flows/job/read-job.ts";
import { CpuMeter } from "../../../lib/sim/load/cpu-meter.ts";
import { runOnce } from "../../../lib/sim/run.ts";
import { craftedJob } from "../../../lib/sim/world/flood.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const aFlood = (maxQueuedJobs: number, jobs: number) =>
  Scenario.parse({
    minutes: 1.5,
    pools: [{ name: "gpu", limits: { usdPerHour: 300, gpus: 120 }, idleSeconds: 15, maxQueuedJobs }],
    teamLimits: { flooder: { gpus: 8 } },
    deployment: {},
    bootSeconds: { from: 5, to: 9 },
    jobs: { gangs: 0, reading: 0, impossible: 0, wrong: 0, cancelled: 0, failing: 0 },
    flood: { team: "flooder", pool: "gpu", jobs, atSecond: 8, seconds: 5 },
    decisionMsPerEntry: 1.5,
    promptSeconds: 30,
    poolRemoved: 0,
    intensity: 0,
  });

test("a flood does not delay the jobs of other teams, and what is more than may wait is rejected", async () => {
  let cpuMs = 0;
  const meter = new CpuMeter(() => ++cpuMs);
  const result = await runOnce({ scenario: aFlood(1_500, 2_500), seed: 1, sites: [], settled, meter });
  expect(result.violation).toBeUndefined();
  expect(result.jobs["rejected"]).toBeGreaterThan(500);
  expect(result.jobs["cancelled"]).toBeGreaterThan(500);
  expect(result.jobs["succeeded"]).toBeGreaterThan(4);
  const { totalMs, longestMs } = meter.take();
  expect(totalMs).toBeGreaterThan(longestMs);
  expect(meter.take().totalMs).toBe(0);
}, 60_000);

test("a run of a flood with the same seed repeats exactly, whatever processor time its decisions take", async () => {
  const once = (msPerLook: number) => {
    let cpuMs = 0;
    const meter = new CpuMeter(() => {
      cpuMs += msPerLook;
      return cpuMs;
    });
    return runOnce({ scenario: aFlood(50_000, 1_200), seed: 3, sites: [], settled, meter });
  };
  expect(JSON.stringify(await once(1))).toBe(JSON.stringify(await once(900)));
}, 60_000);

test("every crafted job of a flood is a message that a team can send, and no two of them are alike", () => {
  const bodies = Array.from({ length: 700 }, (_, n) => JSON.stringify(craftedJob(n).message));
  expect(new Set(bodies).size).toBe(700);
  for (const body of bodies) expect(readJob(body)).toMatchObject({ kind: "read" });
});
