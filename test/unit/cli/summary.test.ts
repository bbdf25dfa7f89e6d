import { describe, expect, it } from "vitest";
import { eventToLaunch, gangsOf, isWhole, jobRows, percentile, type Summary, summaryLines } from "../../../lib/cli/demo/summary.ts";
import type { FleetCall } from "../../../lib/local/ec2/record.ts";
import { aJob, aSpec, monday } from "../../fakes/builders.ts";

describe("percentile, by nearest rank", () => {
  it.each([
    [[], 50, null],
    [[7], 50, 7],
    [[7], 99, 7],
    [[4, 1, 3, 2], 50, 2],
    [[4, 1, 3, 2], 99, 4],
    [[4, 1, 3, 2], 0, 1],
    [[10, 9, 100], 100, 100],
  ])("the percentile of %j at %d is %s", (values, p, expected) => {
    expect(percentile(values, p)).toBe(expected);
  });
});

const call = (afterMs: number, instances: string[], over: Partial<FleetCall> = {}): FleetCall => ({
  atMs: monday + afterMs,
  clientToken: undefined,
  tags: {},
  replayed: false,
  outcome: { kind: "answered", instances, errors: [] },
  ...over,
});

describe("the time from message to launch", () => {
  it("the time from message to launch ends with the call that gave a job its first node", () => {
    const calls = [call(120, ["i-1"]), call(400, ["i-2"])];
    expect(eventToLaunch([{ job: aJob(), nodes: ["i-2", "i-1"] }], calls)).toEqual([400]);
  });

  it("the time from message to launch leaves out jobs that used an existing node, or none", () => {
    const watched = [
      { job: aJob(), nodes: ["i-1"] },
      { job: aJob(), nodes: [] },
    ];
    expect(eventToLaunch(watched, [call(-500, ["i-1"])])).toEqual([]);
  });

  it("the time from message to launch ignores repeated and failed calls", () => {
    const calls = [
      call(50, [], { outcome: { kind: "failed", code: "RequestLimitExceeded" } }),
      call(300, ["i-1"]),
      call(900, ["i-1"], { replayed: true }),
    ];
    expect(eventToLaunch([{ job: aJob(), nodes: ["i-1"] }], calls)).toEqual([300]);
    expect(eventToLaunch([{ job: aJob(), nodes: ["i-1"] }], calls.toReversed())).toEqual([300]);
  });
});

it("the summary of the demonstration has one line per job that says how it ended", () => {
  const jobs = jobRows([
    { job: aJob({ state: "succeeded", attempt: 2, failures: 1, startedAtMs: monday + 1_500 }) },
    { job: aJob({ job: "bad", state: "rejected", reason: "no such pool\nsecond line" }) },
  ]);
  const summary: Summary = {
    jobs,
    eventToLaunchMs: { p50: 120, p99: null },
    instances: { launched: 1, remaining: 0 },
    artifacts: { sealed: 3, verified: 3 },
    interruptions: { noticed: 1, resumed: 1, lost: 0 },
    alarms: { fired: 2, handled: 2 },
    datasets: { shards: 25, fetched: 73, verified: 73, mapVersion: 4 },
    gangs: { started: 1, partial: 0 },
    ok: true,
  };
  expect(summaryLines(summary)).toEqual([
    "TEAM    JOB      STATE      ATTEMPTS  WAITED  REASON",
    "vision  train-1  succeeded         2     1 s",
    "vision  bad      rejected          0       -  no such pool",
    "",
    "message to launch  120 ms (p50), - ms (p99), handlers started cold",
    "instances          1 launched, 0 remaining",
    "artifacts          3 sealed, 3 fetched, unsealed and equal to what the jobs should have written",
    "interruptions      1 noticed, 1 resumed, 0 lost",
    "alarms             2 went off, 2 recorded as the cause of a decision",
    "datasets           25 shards, 73 fetched by jobs, 73 of them equal to those on S3; the map is at version 4",
    "gangs              1 started, 0 partial",
  ]);
});

describe("the gangs of the summary", () => {
  const gang = aJob({ spec: aSpec({ nodes: 2 }), startedAtMs: monday });
  it("the summary counts gangs that have started", () => {
    const waiting = aJob({ spec: aSpec({ nodes: 2 }) });
    const watched = [
      { job: gang, gangs: [["i-1", "i-2"]] },
      { job: waiting, gangs: [] },
      { job: aJob({ startedAtMs: monday }), gangs: [] },
    ];
    expect(gangsOf(watched)).toEqual({ started: 1, partial: 0 });
  });
  it.each([[["i-1"]], [["i-1", "i-1"]], [[]]])("the summary counts a gang as partial if it was seen on %j", (nodes) => {
    expect(gangsOf([{ job: gang, gangs: [["i-1", "i-2"], nodes] }])).toEqual({ started: 1, partial: 1 });
  });
});

describe("whether the demonstration has shown everything", () => {
  const counted = {
    jobs: [],
    eventToLaunchMs: { p50: null, p99: null },
    instances: { launched: 5, remaining: 0 },
    artifacts: { sealed: 2, verified: 2 },
    interruptions: { noticed: 1, resumed: 1, lost: 0 },
    alarms: { fired: 1, handled: 1 },
    datasets: { shards: 25, fetched: 1, verified: 1, mapVersion: 2 },
    gangs: { started: 1, partial: 0 },
  };

  it("the demonstration has shown everything if each kind of event happened once and ended well", () => {
    expect(isWhole(counted)).toBe(true);
  });

  it.each<[string, Partial<typeof counted>]>([
    ["an instance is left", { instances: { launched: 5, remaining: 1 } }],
    ["nothing was sealed", { artifacts: { sealed: 0, verified: 0 } }],
    ["a sealed file differs", { artifacts: { sealed: 2, verified: 1 } }],
    ["nothing was interrupted", { interruptions: { noticed: 0, resumed: 0, lost: 0 } }],
    ["an interrupted job did not resume", { interruptions: { noticed: 2, resumed: 1, lost: 0 } }],
    ["an interrupted job was lost", { interruptions: { noticed: 1, resumed: 1, lost: 1 } }],
    ["no alarm went off", { alarms: { fired: 0, handled: 0 } }],
    ["an alarm caused no decision", { alarms: { fired: 2, handled: 1 } }],
    ["no shard was fetched", { datasets: { shards: 25, fetched: 0, verified: 0, mapVersion: 2 } }],
    ["a shard differs", { datasets: { shards: 25, fetched: 2, verified: 1, mapVersion: 2 } }],
    ["the dataset did not grow", { datasets: { shards: 25, fetched: 1, verified: 1, mapVersion: 1 } }],
    ["no gang started", { gangs: { started: 0, partial: 0 } }],
    ["a gang ran in part", { gangs: { started: 1, partial: 1 } }],
  ])("the demonstration has not shown everything if %s", (_what, over) => {
    expect(isWhole({ ...counted, ...over })).toBe(false);
  });
});
