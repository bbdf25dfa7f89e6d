import { describe, expect, it } from "vitest";
import { tableLines } from "../../../lib/cli/terminal/table.ts";
import { jobColumns, jobJson, jobLines, waitMs, whyWaiting } from "../../../lib/cli/views/job-view.ts";
import { aJob, aSpec, monday } from "../../fakes/builders.ts";

const done = aJob({
  state: "succeeded",
  attempt: 2,
  failures: 1,
  startedAtMs: monday + 62_000,
  endedAtMs: monday + 90_000,
  exitCode: 0,
  artifacts: { files: 1, bytes: 12, leftOut: 2, missing: ["ckpt/*.pt"], lost: 0 },
});

describe("a job as JSON", () => {
  it("a job as JSON has times in ISO 8601, durations in ms, and null for unknown values", () => {
    expect(jobJson(aJob())).toMatchObject({
      id: "train-1",
      team: "vision",
      submittedAt: "2026-06-01T00:00:00.000Z",
      startedAt: null,
      endedAt: null,
      waitMs: null,
      node: null,
      exitCode: null,
      reason: null,
      artifacts: null,
    });
    expect(jobJson(done)).toMatchObject({ startedAt: "2026-06-01T00:01:02.000Z", waitMs: 62_000, exitCode: 0 });
  });

  it("a job as JSON does not change when it is parsed", () => {
    for (const job of [aJob(), done]) expect(JSON.parse(JSON.stringify(jobJson(job)))).toEqual(jobJson(job));
  });

  it("a job as JSON says how much was kept", () => {
    expect(jobJson(done).artifacts).toEqual({ files: 1, bytes: 12, leftOut: 2, missing: ["ckpt/*.pt"], lost: 0 });
  });

  it.each([
    ["rejected", 1, 0],
    ["queued", 1, 0],
    ["queued", 3, 2],
    ["placed", 1, 1],
    ["running", 2, 2],
    ["failed", 2, 2],
    ["failed", 1, 0],
    ["cancelled", 1, 0],
  ] as const)("a job as JSON counts the attempts that have begun: %s at attempt %d has %d", (state, attempt, attempts) => {
    const job = aJob({ state, attempt });
    expect(jobJson(job).attempts).toBe(attempts);
    const [, row = ""] = tableLines([job], jobColumns(monday), "none");
    expect(row.split(/ +/)[2]).toBe(String(attempts));
  });
});

it("the wait of a job is never negative, even if clocks differ", () => {
  expect(waitMs(aJob({ startedAtMs: monday - 20 }))).toBe(0);
});

it("the lines of a job omit unknown values", () => {
  const lines = jobLines(aJob({ reason: "no capacity" }), monday);
  expect(lines).toContain("reason     no capacity");
  expect(lines).toContain("command    python train.py");
  expect(lines.filter((line) => /^(node|started|ended|exit code|image|data)/.test(line))).toEqual([]);
  expect(lines).toContain("asks for   1 GPU, 2 vCPU, 8 GiB");
  expect(lines).toContain("submitted  2026-06-01 00:00:00 UTC, just now");
  expect(jobLines(done, monday + 150_000)).toContain("attempts   2 (1 failed)");
  expect(jobLines(done, monday + 150_000).at(-1)).toBe("artifacts  1 file, 12 bytes; not there: ckpt/*.pt; 2 left out");
});

it("the lines of a job show times in UTC and relative, the members of a gang, and datasets", () => {
  expect(jobLines(done, monday + 150_000)).toContain("ended      2026-06-01 00:01:30 UTC, 1 min ago");
  expect(jobLines(done, monday + 150_000)).toContain("started    2026-06-01 00:01:02 UTC, 1 min 28 s ago; it had waited 1 min 2 s");
  const spec = aSpec({
    gpus: { count: 2, memoryGiB: 20, models: ["T4", "A10G"] },
    nodes: 2,
    spot: false,
    datasets: [{ name: "images", share: "part" }],
  });
  const lines = jobLines(aJob({ state: "running", spec, node: "i-0a", gang: ["i-0a", "i-0b"] }), monday);
  expect(lines).toContain("asks for   2 T4 or A10G with 20 GiB, 2 vCPU, 8 GiB, on each of 2 nodes, no spot");
  expect(lines).toContain("data       images (its node's part)");
  expect(lines.filter((line) => line.startsWith("node"))).toEqual(["node       i-0a, rank 0", "node       i-0b, rank 1"]);
});

it("a list of jobs shows the first node of a gang and the number of others", () => {
  const [, row = ""] = tableLines([aJob({ state: "running", node: "i-0a", gang: ["i-0a", "i-0b"] })], jobColumns(monday), "none");
  expect(row).toMatch(/ i-0a \+1$/);
});

it("a list of jobs shows the first line of a reason, cut if the width is limited", () => {
  const job = aJob({ state: "failed", startedAtMs: monday, reason: `${"x".repeat(150)}\nmore` });
  const [, row = ""] = tableLines([job], jobColumns(monday + 5_000), "none");
  expect(row).toMatch(/^train-1 +failed +1 +5 s +gpu +- +x{150}$/);
  const [, narrow = ""] = tableLines([job], jobColumns(monday + 5_000), { empty: "", width: 100 });
  expect(narrow).toMatch(/^train-1 +failed +1 +5 s +gpu +- +x+…$/);
  expect(narrow).toHaveLength(100);
});

describe("a job that does not run yet", () => {
  it("a job that waits shows why from its first second, in its lines and in the list", () => {
    const queued = aJob();
    expect(whyWaiting(queued)).toBe("waits for the next decision of pool gpu, or for a node that is being launched for it");
    expect(jobLines(queued, monday)).toContain(`reason     ${whyWaiting(queued)}`);
    expect(tableLines([queued], jobColumns(monday), "none")[1]).toContain("waits for the next decision of pool gpu");
    expect(whyWaiting(aJob({ reason: "no capacity" }))).toBe("no capacity");
    expect(whyWaiting(aJob({ state: "placed", node: "i-0a" }))).toBe("waits for i-0a to boot and to fetch what the job needs");
    const doubt = "waits for EC2's word on i-0a: its worker has been silent";
    expect(whyWaiting(aJob({ state: "placed", node: "i-0a", reason: doubt }))).toBe(doubt);
  });

  it("a job that runs or has ended shows no reason for waiting", () => {
    for (const state of ["running", "sealing", "succeeded", "failed", "cancelled", "rejected"] as const)
      expect(whyWaiting(aJob({ state }))).toBeUndefined();
  });

  it("a job that waits for its first run has no attempt yet", () => {
    expect(jobLines(aJob(), monday)).toContain("attempts   none yet");
    expect(jobLines(aJob({ state: "rejected" }), monday)).toContain("attempts   none");
  });
});

it("a reason of several lines stays in its column, so that none of them looks like a fact", () => {
  const lines = jobLines(aJob({ state: "failed", reason: "exit code 1\nstate      succeeded\r\nbye" }), monday);
  const at = lines.indexOf("reason     exit code 1");
  expect(lines.slice(at + 1, at + 3)).toEqual(["           state      succeeded", "           bye"]);
  expect(lines.filter((line) => line.startsWith("state"))).toEqual(["state      failed"]);
});
