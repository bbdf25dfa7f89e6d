import { describe, expect, test } from "vitest";
import {
  type AttemptReportFacts,
  callAgainMs,
  judgeLost,
  judgeReport,
  type ReportVerdict,
} from "../../../lib/decide/attempts/judge-report.ts";
import { type Job, type JobState, jobStates, mayFollow } from "../../../lib/model/job.ts";
import { aJob, aNode, anAssignment, aSpec, aType, monday } from "../../fakes/builders.ts";

const of = { team: "vision", job: "train-1", attempt: 1 };
const startedAtMs = monday + 5;
const reports = {
  running: { ...of, phase: "running", startedAtMs },
  "exited 0": { ...of, phase: "exited", startedAtMs, exitCode: 0 },
  "exited 3": { ...of, phase: "exited", startedAtMs, exitCode: 3 },
  uploaded: { ...of, phase: "uploaded", startedAtMs },
  "failed, hopeless": { ...of, phase: "failed", reason: "no such archive", again: false },
  "failed, again": { ...of, phase: "failed", reason: "S3 did not respond", again: true },
  stopped: { ...of, phase: "stopped", reason: "its lease was about to end" },
} as const satisfies Record<string, AttemptReportFacts>;
type ReportName = keyof typeof reports;
const reportNames = Object.keys(reports) as ReportName[];

const inWords = (verdict: ReportVerdict): string => {
  if (verdict.kind !== "change") return verdict.kind;
  const moved = verdict.job ? `${verdict.job.from} → ${verdict.job.to}, ` : "";
  return `${moved}${verdict.assignment}${verdict.forget ? ", forget" : ""}`;
};
const verdictOn = (name: ReportName, job: Partial<Job> = {}): string =>
  inWords(judgeReport(reports[name], aJob({ node: "n", ...job }), anAssignment()));

const removed = "removed, forget";

describe("a report about an attempt that the node holds", () => {
  const table: Readonly<Record<ReportName, Partial<Record<JobState, string>>>> = {
    running: { placed: "placed → running, running", running: "keep", sealing: "keep", cancelled: "stop" },
    "exited 0": {
      placed: "placed → sealing, uploading",
      running: "running → sealing, uploading",
      sealing: "keep",
      failed: "keep",
      cancelled: "stop",
    },
    "exited 3": {
      placed: `placed → failed, ${removed}`,
      running: `running → failed, ${removed}`,
      sealing: removed,
      failed: removed,
      cancelled: "stop",
    },
    uploaded: {
      placed: `placed → sealing, ${removed}`,
      running: `running → sealing, ${removed}`,
      sealing: removed,
      succeeded: removed,
      failed: removed,
      cancelled: removed,
    },
    "failed, hopeless": {
      placed: `placed → failed, ${removed}`,
      running: `running → failed, ${removed}`,
      sealing: `sealing → failed, ${removed}`,
      succeeded: removed,
      failed: removed,
      cancelled: removed,
    },
    "failed, again": {
      placed: `placed → queued, ${removed}`,
      running: `running → queued, ${removed}`,
      sealing: `sealing → queued, ${removed}`,
      succeeded: removed,
      cancelled: removed,
    },
    stopped: {
      placed: `placed → queued, ${removed}`,
      running: `running → queued, ${removed}`,
      sealing: `sealing → queued, ${removed}`,
      succeeded: removed,
      failed: removed,
      cancelled: removed,
    },
  };
  const rows = reportNames.flatMap((name) =>
    Object.entries(table[name]).map(([state, verdict]) => ({ name, state: state as JobState, verdict })),
  );

  test.each(rows)("the report '$name' about a job that is $state results in: $verdict", ({ name, state, verdict }) => {
    expect(verdictOn(name, { state })).toBe(verdict);
  });

  test("every change that a report causes is a legal one", () => {
    for (const name of reportNames)
      for (const state of jobStates) {
        const verdict = judgeReport(reports[name], aJob({ state, node: "n" }), anAssignment());
        if (verdict.kind === "change" && verdict.job) expect(mayFollow(verdict.job.from, verdict.job.to), `${name}, ${state}`).toBe(true);
        if (verdict.kind === "change" && verdict.job) expect(verdict.job.from).toBe(state);
      }
  });
});

describe("a report about an attempt that the node does not hold", () => {
  const lost: Readonly<Record<ReportName, string>> = {
    running: "stop",
    "exited 0": "stop",
    "exited 3": "forget",
    uploaded: "forget",
    "failed, hopeless": "forget",
    "failed, again": "forget",
    stopped: "forget",
  };

  test.each(reportNames.map((name) => ({ name, verdict: lost[name] })))(
    "the report '$name' about an attempt that the node does not hold results in: $verdict",
    ({ name, verdict }) => {
      for (const state of jobStates) expect(judgeReport(reports[name], aJob({ state }), undefined).kind, state).toBe(verdict);
    },
  );
});

test.each(reportNames)("the report '%s' about an attempt that is not the job's current one only frees its place", (name) => {
  const verdict = name === "running" ? "stop" : removed;
  expect(inWords(judgeReport(reports[name], aJob({ state: "running", attempt: 2 }), anAssignment()))).toBe(verdict);
  expect(inWords(judgeReport(reports[name], undefined, anAssignment()))).toBe(verdict);
});

describe("a report about a gang's member", () => {
  const gang = { node: "a", gang: ["a", "b", "c"] };
  const memberVerdict = (
    name: ReportName,
    of: { rank: number; job?: Partial<Job>; phase?: "placed" | "running" | "uploading" },
  ): string => {
    const held = anAssignment({ rank: of.rank, phase: of.phase ?? "running" });
    return inWords(judgeReport(reports[name], aJob({ ...gang, ...of.job }), held));
  };

  test("the first member that runs makes the job run, and the start of each other member is recorded", () => {
    expect(memberVerdict("running", { rank: 2, job: { state: "placed" }, phase: "placed" })).toBe("placed → running, running");
    expect(memberVerdict("running", { rank: 0, job: { state: "running" }, phase: "placed" })).toBe("running");
    expect(memberVerdict("running", { rank: 0, job: { state: "running" } })).toBe("keep");
  });

  test("the first member's success is the job's, and another member's success only frees its node", () => {
    expect(memberVerdict("exited 0", { rank: 0, job: { state: "running" } })).toBe("running → sealing, uploading");
    expect(memberVerdict("uploaded", { rank: 0, job: { state: "running" } })).toBe(`running → sealing, ${removed}`);
    for (const name of ["exited 0", "uploaded"] as const) expect(memberVerdict(name, { rank: 1, job: { state: "running" } })).toBe(removed);
  });

  test.each([0, 1, 2])("a failure of gang member %i ends the attempts of all members, and the reason names it", (rank) => {
    const job = { ...gang, state: "running", spec: aSpec({ nodes: 3, retries: 1 }) } as const;
    const held = anAssignment({ rank, phase: "running" });
    expect(memberVerdict("exited 3", { rank, job })).toBe(`running → queued, ${removed}`);
    expect(memberVerdict("exited 3", { rank, job: { ...job, failures: 1 } })).toBe(`running → failed, ${removed}`);
    expect(judgeReport(reports["exited 3"], aJob(job), held)).toMatchObject({
      job: { reason: `member ${rank}: exit code 3`, failed: true },
    });
    expect(judgeReport(reports["failed, again"], aJob(job), held)).toMatchObject({ job: { to: "queued", failed: false, troubles: 1 } });
    expect(judgeReport(reports.stopped, aJob(job), held)).toMatchObject({ job: { to: "queued", failed: false } });
    expect(judgeLost(aJob(job), held)).toMatchObject({ job: { to: "queued", failed: false } });
  });

  test("reports of other members do not change the job after the first has ended well or the attempt is over", () => {
    const after: Partial<Job>[] = [{ state: "sealing" }, ...(["succeeded", "failed", "cancelled"] as const).map((state) => ({ state }))];
    for (const job of [...after, { state: "running", attempt: 2 } as const, { state: "queued", attempt: 2 } as const]) {
      for (const name of reportNames)
        expect(memberVerdict(name, { rank: 1, job }), `${name}, ${job.state}`).toBe(name === "running" ? "stop" : removed);
      expect(inWords(judgeLost(aJob({ ...gang, ...job }), anAssignment({ rank: 1, phase: "running" })))).toBe(removed);
    }
  });

  test("the first member goes on to upload while the job is sealed, and is stopped if another member has failed", () => {
    expect(memberVerdict("exited 0", { rank: 0, job: { state: "sealing" } })).toBe("keep");
    expect(memberVerdict("failed, again", { rank: 0, job: { state: "sealing" } })).toBe(`sealing → queued, ${removed}`);
    expect(memberVerdict("running", { rank: 0, job: { state: "failed" } })).toBe("stop");
    expect(memberVerdict("exited 0", { rank: 0, job: { state: "failed" } })).toBe(removed);
  });
});

describe("a run that failed", () => {
  const running = (retries: number, failures: number): Partial<Job> => ({ state: "running", spec: aSpec({ retries }), failures });

  test.each([
    [0, 0, "failed"],
    [1, 0, "queued"],
    [1, 1, "failed"],
    [3, 2, "queued"],
    [3, 3, "failed"],
  ])("a job with %i retries and %i earlier failures is %s when its run fails", (retries, failures, to) => {
    expect(verdictOn("exited 3", running(retries, failures))).toBe(`running → ${to}, ${removed}`);
  });

  test.each([
    [0, 9, 1, "queued"],
    [0, 0, 2, "failed"],
    [5, 0, 4, "queued"],
    [5, 0, 5, "failed"],
  ])(
    "a job with %i retries, %i failures and %i earlier troubles is %s when its run fails because of the node",
    (retries, failures, troubles, to) => {
      expect(verdictOn("failed, again", { ...running(retries, failures), troubles })).toBe(`running → ${to}, ${removed}`);
    },
  );

  test("a failed run counts, and its reason has the exit code and the cause", () => {
    const report = { ...reports["exited 3"], reason: "out of memory" };
    expect(judgeReport(report, aJob({ state: "running" }), anAssignment())).toMatchObject({
      job: { failed: true, exitCode: 3, startedAtMs, reason: "exit code 3: out of memory" },
    });
    expect(judgeReport(reports["exited 3"], aJob({ state: "running" }), anAssignment())).toMatchObject({ job: { reason: "exit code 3" } });
  });

  test("a stopped run does not count as a failure", () => {
    expect(judgeReport(reports.stopped, aJob({ state: "running" }), anAssignment())).toMatchObject({
      job: { failed: false, reason: "its lease was about to end" },
    });
  });
});

test("the start of a run is recorded even if the report that it runs was lost", () => {
  expect(judgeReport(reports["exited 0"], aJob({ state: "placed" }), anAssignment())).toMatchObject({ job: { startedAtMs, exitCode: 0 } });
});

describe("a worker that was restarted", () => {
  test.each(["placed", "running", "sealing"] as const)(
    "a restarted worker returns a job that was %s to the queue without a failure",
    (state) => {
      expect(judgeLost(aJob({ state }), anAssignment({ phase: "running" }))).toEqual({
        kind: "change",
        job: { from: state, to: "queued", reason: "the worker was restarted and lost the run", failed: false },
        assignment: "removed",
        forget: true,
        toSeal: true,
      });
    },
  );

  test("what a run may have uploaded before its worker was restarted is looked for, and only by its first member", () => {
    const toSeal = (over: Parameters<typeof anAssignment>[0]) => judgeLost(aJob({ state: "running" }), anAssignment(over));
    expect(toSeal({ phase: "running", rank: 0 })).toMatchObject({ toSeal: true });
    expect(toSeal({ phase: "running", rank: 1 })).not.toHaveProperty("toSeal");
    expect(toSeal({ phase: "placed" })).not.toHaveProperty("toSeal");
  });

  test("a worker restart counts as a loss of a started run, and the last allowed loss fails the job", () => {
    const running = anAssignment({ phase: "running" });
    expect(judgeLost(aJob({ state: "running", losses: 1 }), running, 3)).toMatchObject({ job: { to: "queued", losses: 2, failed: false } });
    expect(judgeLost(aJob({ state: "running", losses: 2 }), running, 3)).toMatchObject({ job: { to: "failed", losses: 3, failed: false } });
    const uploading = judgeLost(aJob({ state: "sealing", losses: 2 }), anAssignment({ phase: "uploading" }), 3);
    expect(uploading).toMatchObject({ job: { to: "queued" } });
    expect(uploading.kind === "change" && uploading.job).not.toHaveProperty("losses");
  });

  test("a restarted worker does not change a job that has ended or runs elsewhere", () => {
    for (const job of [aJob({ state: "succeeded" }), aJob({ state: "running", attempt: 2 }), undefined])
      expect(inWords(judgeLost(job, anAssignment()))).toBe(removed);
  });
});

describe("the next call of a worker", () => {
  test.each([
    ["often while a GPU is free", aNode(), 2_000],
    ["at once if it was just freed", aNode({ lastBusyMs: monday + 59_000 }), 1_000],
    ["at once until five seconds after it was freed", aNode({ lastBusyMs: monday + 55_001 }), 1_000],
    ["often from five seconds after it was freed", aNode({ lastBusyMs: monday + 55_000 }), 2_000],
    ["seldom while all GPUs are taken", aNode({ assignments: [anAssignment({ phase: "running" })] }), 10_000],
    ["often while only an upload is under way", aNode({ assignments: [anAssignment({ phase: "uploading" })] }), 2_000],
    ["often while a CPU is free on a node without GPUs", aNode({ type: aType({ resources: { vcpus: 2, memoryGiB: 4, gpus: 0 } }) }), 2_000],
    [
      "seldom while no CPU is free on a node without GPUs",
      aNode({ type: aType({ resources: { vcpus: 0.8, memoryGiB: 4, gpus: 0 } }) }),
      10_000,
    ],
  ])("a worker calls again %s", (_when, node, ms) => {
    expect(callAgainMs(node, monday + 60_000)).toBe(ms);
  });
});

describe("why a job fails", () => {
  const failureOf = (said: ReportName, job: Partial<Job>): unknown => {
    const verdict = judgeReport(reports[said], aJob({ node: "n", ...job }), anAssignment());
    return verdict.kind === "change" ? verdict.job?.failure : verdict;
  };

  test("a run that ends badly fails its job as its own fault, and an upload that fails does so for its artifacts", () => {
    expect(failureOf("exited 3", { state: "running" })).toBe("runs-failed");
    expect(failureOf("failed, hopeless", { state: "running" })).toBe("runs-failed");
    expect(failureOf("failed, hopeless", { state: "sealing" })).toBe("artifacts-not-kept");
  });

  test("a run after which the job waits again has no failure code", () => {
    expect(failureOf("exited 3", { state: "running", spec: aSpec({ retries: 1 }) })).toBeUndefined();
    expect(failureOf("failed, again", { state: "sealing" })).toBeUndefined();
  });
});
