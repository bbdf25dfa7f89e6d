import { describe, expect, it } from "vitest";
import { jobColumns, jobJson, jobLines, waitMs } from "../../../lib/cli/job-view.ts";
import { tableLines } from "../../../lib/cli/table.ts";
import { aJob, monday } from "../../fakes/builders.ts";

const done = aJob({
  state: "succeeded",
  attempt: 2,
  failures: 1,
  startedAtMs: monday + 62_000,
  endedAtMs: monday + 90_000,
  exitCode: 0,
  artifacts: [{ path: "model.txt", bytes: 12, sha256: "ab".repeat(32), key: "vision/train-1/2/model.txt" }],
});

describe("a job as JSON", () => {
  it("has times in ISO 8601, durations in ms, and null for what is not", () => {
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
      artifacts: [],
    });
    expect(jobJson(done)).toMatchObject({ startedAt: "2026-06-01T00:01:02.000Z", waitMs: 62_000, exitCode: 0 });
  });

  it("survives JSON as it is", () => {
    for (const job of [aJob(), done]) expect(JSON.parse(JSON.stringify(jobJson(job)))).toEqual(jobJson(job));
  });

  it("keeps where artifacts rest to itself", () => {
    expect(jobJson(done).artifacts).toEqual([{ path: "model.txt", bytes: 12, sha256: "ab".repeat(32) }]);
  });

  it.each([
    ["rejected", 1, 0],
    ["queued", 1, 0],
    ["queued", 3, 2],
    ["placed", 1, 1],
    ["running", 2, 2],
    ["failed", 2, 2],
  ] as const)("counts the attempts that were begun: %s at attempt %d has %d", (state, attempt, attempts) => {
    expect(jobJson(aJob({ state, attempt })).attempts).toBe(attempts);
  });
});

it("the wait is never negative, whatever the clocks say", () => {
  expect(waitMs(aJob({ startedAtMs: monday - 20 }))).toBe(0);
});

it("a job's lines leave out what is not known", () => {
  const lines = jobLines(aJob({ reason: "no capacity" }));
  expect(lines).toContain("reason     no capacity");
  expect(lines).toContain("command    python train.py");
  expect(lines.filter((line) => /^(node|started|ended|exit code)/.test(line))).toEqual([]);
  expect(jobLines(done)).toContain("attempt    2 (1 failed)");
  expect(jobLines(done).at(-1)).toBe("artifact   model.txt (12 bytes, sha256 abababababab…)");
});

it("a list shows a long reason's beginning, on one line", () => {
  const job = aJob({ state: "failed", reason: `${"x".repeat(150)}\nmore` });
  const [, row = ""] = tableLines([job], jobColumns(monday + 5_000), "none");
  expect(row).toMatch(/^train-1 +failed +1 +5 s +gpu +- +x{99}…$/);
});
