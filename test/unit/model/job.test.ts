import { describe, expect, test } from "vitest";
import {
  byTurn,
  dependsOn,
  endCodeOf,
  isEnded,
  isOn,
  type JobState,
  jobStates,
  logStream,
  mayFollow,
  waiting,
} from "../../../lib/model/job.ts";
import { aJob, anEntry, aSpec, monday } from "../../fakes/builders.ts";

describe("the life of a job", () => {
  const legal: Readonly<Record<JobState, readonly JobState[]>> = {
    rejected: [],
    queued: ["placed", "failed", "cancelled"],
    placed: ["running", "sealing", "queued", "failed", "cancelled"],
    running: ["sealing", "queued", "failed", "cancelled"],
    sealing: ["succeeded", "queued", "failed", "cancelled"],
    succeeded: [],
    failed: [],
    cancelled: [],
  };

  test.each(jobStates)("only the legal states may follow %s", (from) => {
    expect(jobStates.filter((to) => mayFollow(from, to)).sort()).toEqual([...legal[from]].sort());
  });

  test("a job ends in one of four states", () => {
    expect(jobStates.filter(isEnded).sort()).toEqual(["cancelled", "failed", "rejected", "succeeded"]);
  });

  test("a job gets a code when it ends, and not before", () => {
    const codes = jobStates.map((state) => [state, endCodeOf(state, "nodes-lost")]);
    expect(Object.fromEntries(codes.filter(([, code]) => code !== undefined))).toEqual({
      rejected: "rejected",
      succeeded: "succeeded",
      cancelled: "cancelled",
      failed: "nodes-lost",
    });
  });

  test("a job succeeds only from sealing", () => {
    expect(jobStates.filter((from) => mayFollow(from, "succeeded"))).toEqual(["sealing"]);
  });

  test("a job can be cancelled until it ends", () => {
    expect(jobStates.filter((from) => mayFollow(from, "cancelled"))).toEqual(jobStates.filter((state) => !isEnded(state)));
  });

  test("a job can reach an end from every state", () => {
    const reaches = (from: JobState, seen: readonly JobState[] = []): boolean =>
      isEnded(from) || jobStates.some((to) => mayFollow(from, to) && !seen.includes(to) && reaches(to, [...seen, from]));
    expect(jobStates.filter((state) => !reaches(state))).toEqual([]);
  });
});

describe("the order of the queue", () => {
  const order = (...entries: ReturnType<typeof anEntry>[]): string[] => entries.toSorted(byTurn).map((entry) => entry.job);

  test("the job of higher priority goes first, however late it was submitted", () => {
    expect(order(anEntry({ job: "old" }), anEntry({ job: "urgent", priority: 1, submittedAtMs: monday + 1 }))).toEqual(["urgent", "old"]);
  });

  test("of two jobs of equal priority, the one that has waited longer goes first", () => {
    expect(order(anEntry({ job: "a", submittedAtMs: monday + 1 }), anEntry({ job: "b" }))).toEqual(["b", "a"]);
  });

  test("jobs of equal priority and age go by the names of team and job", () => {
    expect(order(anEntry({ job: "b" }), anEntry({ job: "a" }), anEntry({ team: "audio", job: "c" }))).toEqual(["c", "a", "b"]);
  });

  test("a queue entry compares equal to itself", () => {
    expect(byTurn(anEntry(), anEntry())).toBe(0);
  });
});

test("a queue entry has what the job wants and when it was submitted", () => {
  const spec = aSpec({
    vcpus: 3,
    memoryGiB: 5,
    gpus: { count: 2, memoryGiB: 16, models: ["T4"] },
    priority: 7,
    spot: false,
    nodes: 3,
    zones: ["us-east-1a"],
  });
  expect(waiting({ ...aJob({ attempt: 4 }), spec })).toEqual({
    team: "vision",
    job: "train-1",
    attempt: 4,
    priority: 7,
    submittedAtMs: monday,
    needs: { vcpus: 3, memoryGiB: 5, gpus: 2 },
    gpu: { memoryGiB: 16, models: ["T4"] },
    spot: false,
    nodes: 3,
    datasets: [],
    zones: ["us-east-1a"],
  });
});

test("a job depends on its node, and a gang on every node until its first member has exited successfully, then on that member's", () => {
  const on = (node: string, attempt = 1, uploads = false) => ({ node, attempt, uploads });
  const single = aJob({ state: "running", node: "a" });
  expect([isOn(single, "a"), isOn(single, "b"), isOn(aJob(), "a")]).toEqual([true, false, false]);
  expect([dependsOn(single, on("a")), dependsOn(single, on("b")), dependsOn(single, on("a", 2))]).toEqual([true, false, false]);
  const gang = aJob({ state: "running", node: "a", gang: ["a", "b"] });
  expect(["a", "b", "c"].map((node) => isOn(gang, node))).toEqual([true, true, false]);
  expect(["a", "b", "c"].map((node) => dependsOn(gang, on(node)))).toEqual([true, true, false]);
  expect(["a", "b"].map((node) => dependsOn({ ...gang, state: "sealing" }, on(node)))).toEqual([true, false]);
  expect(["a", "b"].map((node) => dependsOn({ ...gang, state: "cancelled" }, on(node)))).toEqual([false, false]);
});

test("a job depends on the upload of its node, or of its gang's first member, until it has ended", () => {
  const on = (node: string, attempt = 1) => ({ node, attempt, uploads: true });
  const single = aJob({ state: "sealing", node: "a" });
  expect([dependsOn(single, on("a")), dependsOn({ ...single, attempt: 2 }, on("a"))]).toEqual([true, false]);
  expect(dependsOn({ ...single, state: "failed", node: undefined }, on("a"))).toBe(false);
  const gang = aJob({ state: "running", node: "a", gang: ["a", "b"] });
  expect(dependsOn(gang, on("b"))).toBe(false);
  expect(["a", "b"].map((node) => dependsOn({ ...gang, state: "sealing" }, on(node)))).toEqual([true, false]);
});

test("each attempt has its own log stream, and so has each member of a gang", () => {
  expect([undefined, 0, 7].map((rank) => logStream({ team: "vision", job: "a", attempt: 2 }, rank))).toEqual(["a/2", "a/2", "a/2/7"]);
});
