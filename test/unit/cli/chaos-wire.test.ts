import { describe, expect, test } from "vitest";
import { type AtRest, checks } from "../../../lib/cli/chaos-wire/checks.ts";
import { faultsMs, faultsOf } from "../../../lib/cli/chaos-wire/faults.ts";
import { wireReport } from "../../../lib/cli/chaos-wire/report.ts";
import { type WireJob, workloadOf } from "../../../lib/cli/chaos-wire/workload.ts";
import { chaosWire } from "../../../lib/cli/commands/chaos-wire.ts";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import type { Job } from "../../../lib/model/job.ts";
import { Chance } from "../../../lib/sim/faults/chance.ts";

const sent: WireJob = {
  team: "research",
  job: "a",
  body: "{}",
  atMs: 0,
  againAtMs: [],
  ends: "succeeded",
  leaves: { "out.txt": "1\n" },
  trace: "/nowhere",
};
const done: Job = {
  team: "research",
  job: "a",
  pool: "gpu",
  state: "succeeded",
  attempt: 2,
  failures: 0,
  submittedAtMs: 0,
};
const one = { sent, job: done, later: done, left: { "out.txt": "1\n" }, ran: [1, 1, 2] };
const launched = {
  clientToken: "t",
  replayed: false,
  outcome: { kind: "answered" as const, instances: ["i-1"], errors: [] },
};
const nothing = { usdPerHour: 0, gpus: 0 };
const good: AtRest = {
  jobs: [one],
  remaining: [],
  pools: [{ pool: "gpu", reserved: nothing, openLaunches: [] }],
  fleetCalls: [launched, { ...launched, replayed: true }],
};
const wrongs = (rest: AtRest): string[] => checks.flatMap(({ name, wrong }) => wrong(rest).map((each) => `${name}: ${each}`));
const withJob = (job: Job | undefined, more: Partial<AtRest["jobs"][number]> = {}): AtRest => ({
  ...good,
  jobs: [{ ...one, job, later: job, ...more }],
});

describe("the checks of a chaos run on a local cloud", () => {
  test("the checks of a chaos run accept a correct run", () => {
    expect(wrongs(good)).toEqual([]);
    const lost: Job = { ...done, state: "failed", reason: "3 nodes were lost while it ran on them; the last: crashed" };
    expect(wrongs(withJob(lost, { left: {} }))).toEqual([]);
  });

  test.each<[what: string, rest: AtRest, says: RegExp]>([
    ["a job without a record", withJob(undefined), /^jobs end once: research\/a was accepted by SQS/],
    ["a job that never ended", withJob({ ...done, state: "running" }), /^jobs end once: .* never ended: it is running/],
    [
      "a job that ended twice",
      { ...good, jobs: [{ ...one, later: { ...done, attempt: 3 } }] },
      /^jobs end once: .* and became succeeded, attempt 3/,
    ],
    [
      "a job that should not have failed",
      withJob({ ...done, state: "failed", reason: "exit code 1" }),
      /^jobs end once: .* should have ended as succeeded/,
    ],
    [
      "a job that was rejected without a reason",
      withJob({ ...done, state: "rejected" }),
      /^jobs end once: .* was rejected without a reason/,
    ],
    ["two attempts at once", withJob(done, { ran: [1, 2, 1, 2] }), /^one attempt at a time: .* attempt 1 still ran after attempt 2/],
    ["a file that cannot be unsealed", withJob(done, { left: {} }), /^artifacts are sealed: out.txt of research\/a cannot be unsealed/],
    [
      "a file with wrong contents",
      withJob(done, { left: { "out.txt": "2\n" } }),
      /^artifacts are sealed: .* is not what the job should have written/,
    ],
    ["an instance that still runs", { ...good, remaining: ["i-1"] }, /^back at zero: i-1 is still running/],
    [
      "a reservation without a launch",
      { ...good, pools: [{ pool: "gpu", reserved: { usdPerHour: 0, gpus: 1 }, openLaunches: [] }] },
      /^back at zero: pool gpu still reserves/,
    ],
    ["a token that launched twice", { ...good, fleetCalls: [launched, launched] }, /^no launch happens twice: the token t/],
    ["a launch without a token", { ...good, fleetCalls: [{ ...launched, clientToken: undefined }] }, /^no launch happens twice: a launch/],
  ])("the checks of a chaos run find %s", (_what, rest, says) => {
    expect(wrongs(rest)).toEqual([expect.stringMatching(says)]);
  });
});

test("a seed always gives the same jobs and faults: 8 to 15 jobs with one gang, and faults that end", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const drawn = () => workloadOf(seed, new Chance(`${seed}`), "/traces");
    const faults = () => faultsOf(new Chance(`${seed}`)).map(({ kind, atMs }) => ({ kind, atMs }));
    const jobs = drawn();
    expect(jobs).toEqual(drawn());
    expect(faults()).toEqual(faults());
    expect(jobs.length).toBeGreaterThanOrEqual(8);
    expect(jobs.length).toBeLessThanOrEqual(15);
    expect(jobs.filter(({ body }) => JSON.parse(body).nodes === 2)).toHaveLength(1);
    expect(new Set(jobs.map(({ ends }) => ends))).toEqual(new Set(["succeeded", "failed", "rejected"]));
    expect(faults().every(({ atMs }) => atMs <= faultsMs)).toBe(true);
  }
});

test("the report of a chaos run sums faults by seam, and names the command that repeats a seed", () => {
  const run = { seed: 4, faults: { "ec2.refuse": 2, "ec2.throttle": 1 }, jobs: { succeeded: 3 }, found: [], wallMs: 1 };
  const found = [{ check: "back at zero", wrong: "i-1 lives on" }];
  expect(
    wireReport([run, { ...run, seed: 5, faults: { "spot.interrupt": 1 }, found }], {
      scenario: undefined,
      seeds: { first: 4, last: 5 },
      wallMs: 10,
    }),
  ).toMatchObject({
    runs: 2,
    faults: 4,
    faultsPerRun: 2,
    violations: 1,
    bySeam: { ec2: 3, spot: 1 },
    jobs: { succeeded: 6 },
    found: [{ seed: 5, wrong: "i-1 lives on", replay: "fleet chaos --wire --runs 1 --seed 5" }],
  });
});

test.each([{ threads: 2 }, { plant: "fresh-token" }, { only: ["ec2.refuse"] }, { scenario: "mine.json" }, { list: true }])(
  "--wire refuses options of virtual time: %o",
  async (options) => {
    const quiet = () => {};
    const silent = {
      out: quiet,
      note: quiet,
      jobLog: quiet,
      raw: quiet,
      bytes: async () => {},
      isTerminal: false,
      progress: quiet,
      paint: (_: string, text: string) => text,
      width: 80,
    };
    await expect(chaosWire(options, silent)).rejects.toThrow(UsageError);
  },
);
