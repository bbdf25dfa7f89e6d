import { describe, expect, test } from "vitest";
import { type AttemptReportFacts, judgeReport } from "../../../lib/decide/attempts/judge-report.ts";
import { aJob, anAssignment } from "../../fakes/builders.ts";

const ref = { team: "vision", job: "train-1", attempt: 1 };
const ends: readonly AttemptReportFacts[] = [
  { ...ref, phase: "exited", startedAtMs: 5, exitCode: 3 },
  { ...ref, phase: "failed", reason: "the container was lost", again: true },
  { ...ref, phase: "stopped", reason: "the job was cancelled" },
];

describe("a repeated report of an end without anything to upload", () => {
  test.each(ends)("a repeated report of $phase without uploads ends the upload, which is then sealed", (report) => {
    const held = anAssignment({ ...ref, phase: "uploading" });
    for (const job of [aJob({ state: "failed" }), aJob({ state: "cancelled" }), aJob({ state: "queued", attempt: 2 })])
      expect(judgeReport(report, job, held)).toEqual({ kind: "change", assignment: "removed", forget: true, toSeal: true });
  });

  test.each(ends)("a report of $phase without uploads ends the attempt if its end was never recorded", (report) => {
    const held = anAssignment({ ...ref, phase: "running" });
    const verdict = judgeReport(report, aJob({ state: "running" }), held);
    expect(verdict).toMatchObject({ kind: "change", assignment: "removed", job: { to: report.phase === "exited" ? "failed" : "queued" } });
  });
});
