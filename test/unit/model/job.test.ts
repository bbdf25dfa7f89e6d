import { describe, expect, test } from "vitest";
import { byTurn, dependsOn, isEnded, isOn, type JobState, jobStates, logStream, mayFollow, waiting } from "../../../lib/model/job.ts";
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

  test.each(jobStates)("after %s comes only what may", (from) => {
    expect(jobStates.filter((to) => mayFollow(from, to)).sort()).toEqual([...legal[from]].sort());
  });

  test("ends in four states", () => {
    expect(jobStates.filter(isEnded).sort()).toEqual(["cancelled", "failed", "rejected", "succeeded"]);
  });

  test("succeeds only out of sealing", () => {
    expect(jobStates.filter((from) => mayFollow(from, "succeeded"))).toEqual(["sealing"]);
  });

  test("can be cancelled until it ends", () => {
    expect(jobStates.filter((from) => mayFollow(from, "cancelled"))).toEqual(jobStates.filter((state) => !isEnded(state)));
  });

  test("leads from every state that is not an end to an end", () => {
    const reaches = (from: JobState, seen: readonly JobState[] = []): boolean =>
      isEnded(from) || jobStates.some((to) => mayFollow(from, to) && !seen.includes(to) && reaches(to, [...seen, from]));
    expect(jobStates.filter((state) => !reaches(state))).toEqual([]);
  });
});

describe("whose turn it is", () => {
  const order = (...entries: ReturnType<typeof anEntry>[]): string[] => entries.toSorted(byTurn).map((entry) => entry.job);

  test("the higher priority goes first, however late it came", () => {
    expect(order(anEntry({ job: "old" }), anEntry({ job: "urgent", priority: 1, submittedAtMs: monday + 1 }))).toEqual(["urgent", "old"]);
  });

  test("then the one that waits longer", () => {
    expect(order(anEntry({ job: "a", submittedAtMs: monday + 1 }), anEntry({ job: "b" }))).toEqual(["b", "a"]);
  });

  test("then the team's name, then the job's", () => {
    expect(order(anEntry({ job: "b" }), anEntry({ job: "a" }), anEntry({ team: "audio", job: "c" }))).toEqual(["c", "a", "b"]);
  });

  test("nobody goes before itself", () => {
    expect(byTurn(anEntry(), anEntry())).toBe(0);
  });
});

test("what waits knows what it needs and when it came", () => {
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

test("a job depends on its node; a gang on each of its nodes until the first has ended well, and then on that one", () => {
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

test("a job depends on the upload of its own node, or of its gang's first member, until it has ended", () => {
  const on = (node: string, attempt = 1) => ({ node, attempt, uploads: true });
  const single = aJob({ state: "sealing", node: "a" });
  expect([dependsOn(single, on("a")), dependsOn({ ...single, attempt: 2 }, on("a"))]).toEqual([true, false]);
  expect(dependsOn({ ...single, state: "failed", node: undefined }, on("a"))).toBe(false);
  const gang = aJob({ state: "running", node: "a", gang: ["a", "b"] });
  expect(dependsOn(gang, on("b"))).toBe(false);
  expect(["a", "b"].map((node) => dependsOn({ ...gang, state: "sealing" }, on(node)))).toEqual([true, false]);
});

test("an attempt's log is its own, and each other member's of a gang", () => {
  expect([undefined, 0, 7].map((rank) => logStream({ team: "vision", job: "a", attempt: 2 }, rank))).toEqual(["a/2", "a/2", "a/2/7"]);
});
