import { describe, expect, test } from "vitest";
import { judgeReport } from "../../../lib/decide/attempts/judge-report.ts";
import { afterTrouble } from "../../../lib/decide/attempts/trouble.ts";
import type { JobRecord, JobState } from "../../../lib/model/job.ts";
import { aJob, anAssignment, aSpec } from "../../fakes/builders.ts";

const troubled = { team: "vision", job: "train-1", attempt: 1, phase: "failed", reason: "S3 did not respond", again: true } as const;
const held = anAssignment({ phase: "running" });

/** Returns the changes of a job whose runs all meet the same trouble, until it fails. */
function untilItFails(state: JobState, over: Partial<JobRecord> = {}) {
  const changes: ReturnType<typeof afterTrouble>[] = [];
  let job: JobRecord = aJob({ state, ...over });
  while (changes.at(-1)?.to !== "failed") {
    const { to, pauseMs, ...counts } = afterTrouble(job);
    changes.push({ to, pauseMs, ...counts });
    job = { ...job, ...counts };
  }
  return changes;
}

describe("a run that fails through no fault of its job", () => {
  test("a job whose runs cannot be started fails with the twelfth, after about two hours", () => {
    const changes = untilItFails("placed");
    expect(changes).toHaveLength(12);
    const pauses = changes.flatMap(({ pauseMs }) => (pauseMs === undefined ? [] : [pauseMs / 1000]));
    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900]);
    expect(pauses.reduce((sum, pause) => sum + pause) / 3_600).toBeGreaterThan(1.5);
  });

  test.each<JobState>(["running", "sealing"])(
    "a job whose runs end because of a node fails with the third, counted from state %s",
    (state) => {
      expect(untilItFails(state).map(({ troubles }) => troubles)).toEqual([1, 2, 3]);
    },
  );

  test("a job with more retries gets as many runs", () => {
    expect(untilItFails("running", { spec: aSpec({ retries: 5 }) })).toHaveLength(6);
    expect(untilItFails("placed", { spec: aSpec({ retries: 20 }) })).toHaveLength(21);
  });

  test("it does not count against the job's retries, and the reason says when the next run follows", () => {
    const verdict = judgeReport(troubled, aJob({ state: "running", failures: 1, spec: aSpec({ retries: 1 }) }), held);
    expect(verdict).toMatchObject({
      job: {
        to: "queued",
        failed: false,
        troubles: 1,
        pauseMs: 30_000,
        reason: "S3 did not respond; the next run follows after a pause of 30 s",
      },
    });
  });

  test("a failure that another run would meet again counts as the job's own and ends it", () => {
    const verdict = judgeReport({ ...troubled, again: false }, aJob({ state: "running" }), held);
    expect(verdict).toMatchObject({ job: { to: "failed", failed: true, failure: "runs-failed" } });
    expect(verdict).not.toHaveProperty("job.troubles");
  });

  test("a start ends the count of runs that could not be started", () => {
    const started = { ...troubled, phase: "running", startedAtMs: 1 } as const;
    const of = (unstarted?: number) => judgeReport(started, aJob({ state: "placed", unstarted }), anAssignment());
    expect(of(4)).toMatchObject({ job: { to: "running", unstarted: 0 } });
    expect(of()).not.toHaveProperty("job.unstarted");
  });
});
