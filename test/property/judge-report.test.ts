import fc from "fast-check";
import { expect, test } from "vitest";
import { type AttemptReportFacts, judgeLost, judgeReport } from "../../lib/decide/attempts/judge-report.ts";
import { type Job, jobStates, mayFollow } from "../../lib/model/job.ts";
import { aJob, anAssignment, aSpec, monday } from "../fakes/builders.ts";

const attempt = fc.integer({ min: 1, max: 3 });
const reason = fc.string({ maxLength: 20 });
const startedAtMs = fc.integer({ min: monday, max: monday + 1000 });
const of = { team: fc.constant("vision"), job: fc.constant("train-1"), attempt };
const uploads = fc.constantFrom(undefined, false, true);
const report: fc.Arbitrary<AttemptReportFacts> = fc.oneof(
  fc.record({ ...of, phase: fc.constant("running" as const), startedAtMs }),
  fc.record({ ...of, phase: fc.constant("exited" as const), startedAtMs, exitCode: fc.constantFrom(0, 0, 1, 137), uploads }),
  fc.record({ ...of, phase: fc.constant("uploaded" as const), startedAtMs }),
  fc.record({ ...of, phase: fc.constant("failed" as const), reason, again: fc.boolean(), uploads }),
  fc.record({ ...of, phase: fc.constant("stopped" as const), reason, uploads }),
);
const job: fc.Arbitrary<Job> = fc
  .record({ state: fc.constantFrom(...jobStates), attempt, failures: fc.nat(4), retries: fc.nat(3) })
  .map(({ retries, ...over }) => aJob({ ...over, spec: aSpec({ retries }) }));
/** The rank in a gang; undefined for a job of one node. */
const rank = fc.constantFrom(undefined, undefined, 0, 1, 2);
const phase = fc.constantFrom("placed" as const, "running" as const, "uploading" as const);

test("a report about an attempt that the node does not hold changes nothing", () => {
  fc.assert(
    fc.property(report, fc.option(job, { nil: undefined }), (facts, about) => {
      expect(judgeReport(facts, about, undefined).kind).toMatch(/^(stop|forget)$/);
    }),
  );
});

test("a report about an attempt that is not the job's current one changes only the node that holds it", () => {
  fc.assert(
    fc.property(report, job, phase, rank, (facts, about, held, member) => {
      fc.pre(facts.attempt !== about.attempt);
      const verdict = judgeReport(facts, about, anAssignment({ attempt: facts.attempt, phase: held, rank: member }));
      const still = "uploads" in facts && facts.uploads === true;
      if (held === "uploading") expect(verdict.kind).toBe(facts.phase === "running" || still ? "keep" : "change");
      else expect(verdict.kind).toBe(facts.phase === "running" ? "stop" : "change");
      if (verdict.kind === "change") expect(verdict).toMatchObject({ job: undefined, assignment: still ? "uploading" : "removed" });
    }),
  );
});

test("an attempt with something to upload stays on its node, and is never ordered to stop for it", () => {
  fc.assert(
    fc.property(report, job, phase, rank, (facts, about, held, member) => {
      fc.pre("uploads" in facts && facts.uploads === true);
      const verdict = judgeReport(facts, about, anAssignment({ attempt: facts.attempt, phase: held, rank: member }));
      expect(["keep", "change"]).toContain(verdict.kind);
      if (verdict.kind === "change") expect(verdict).toMatchObject({ assignment: "uploading", forget: false });
    }),
  );
});

test("an end that is reported again after it was recorded changes nothing", () => {
  fc.assert(
    fc.property(report, job, rank, (facts, about, member) => {
      fc.pre("uploads" in facts && facts.uploads === true && facts.attempt <= about.attempt);
      const held = anAssignment({ attempt: facts.attempt, phase: "running", rank: member });
      const first = judgeReport(facts, about, held);
      const to = first.kind === "change" ? first.job : undefined;
      const moved = to ? { ...about, state: to.to, attempt: about.attempt + (to.to === "queued" ? 1 : 0) } : about;
      const held2: typeof held = { ...held, phase: "uploading" };
      for (const later of [moved, { ...moved, attempt: moved.attempt + 1 }, { ...moved, state: "cancelled" as const }]) {
        if (first.kind === "change") expect(judgeReport(facts, later, held2)).toEqual({ kind: "keep" });
      }
    }),
  );
});

test("a lost upload changes the job only if its run ended well, or its end is not recorded", () => {
  fc.assert(
    fc.property(job, attempt, rank, (about, number, member) => {
      const held = anAssignment({ attempt: number, phase: "uploading", rank: member });
      const verdict = judgeLost(about, held);
      if (number !== about.attempt || (member ?? 0) > 0) expect(verdict).toMatchObject({ kind: "change", job: undefined });
    }),
  );
});

test("every change is a legal one from the job's state, and no job that has ended changes", () => {
  fc.assert(
    fc.property(report, job, phase, rank, (facts, about, held, member) => {
      const assignment = anAssignment({ attempt: facts.attempt, phase: held, rank: member });
      for (const verdict of [judgeReport(facts, about, assignment), judgeLost(about, assignment)]) {
        if (verdict.kind !== "change" || !verdict.job) continue;
        expect(verdict.job.from).toBe(about.state);
        expect(mayFollow(about.state, verdict.job.to)).toBe(true);
      }
    }),
  );
});

test("a node loses an attempt exactly if the worker may forget it", () => {
  fc.assert(
    fc.property(report, job, phase, rank, (facts, about, held, member) => {
      const verdict = judgeReport(facts, about, anAssignment({ attempt: facts.attempt, phase: held, rank: member }));
      if (verdict.kind === "change") expect(verdict.forget).toBe(verdict.assignment === "removed");
    }),
  );
});

test("no job leaves its node and stays placed or running, except members of a gang that ended well or whose end is recorded", () => {
  fc.assert(
    fc.property(report, job, phase, rank, (facts, about, held, member) => {
      const verdict = judgeReport(facts, about, anAssignment({ attempt: facts.attempt, phase: held, rank: member }));
      if (verdict.kind !== "change" || verdict.assignment !== "removed" || facts.attempt !== about.attempt) return;
      if (member && (held === "uploading" || (facts.phase === "exited" && facts.exitCode === 0) || facts.phase === "uploaded")) return;
      expect(["placed", "running"]).not.toContain(verdict.job?.to ?? about.state);
    }),
  );
});

test("a job is never tried more often than its retries allow, or three times", () => {
  fc.assert(
    fc.property(report, job, phase, rank, (facts, about, held, member) => {
      const verdict = judgeReport(facts, about, anAssignment({ attempt: facts.attempt, phase: held, rank: member }));
      if (verdict.kind !== "change" || !verdict.job?.failed || verdict.job.to !== "queued") return;
      expect(about.failures).toBeLessThan(Math.max(about.spec?.retries ?? 0, facts.phase === "failed" ? 2 : 0));
    }),
  );
});
