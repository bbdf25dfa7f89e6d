import { describe, expect, test } from "vitest";
import { subjectOf, withoutResting, withoutRestingJobs } from "../../../lib/decide/back-off/resting.ts";
import { decide } from "../../../lib/decide/decide.ts";
import type { Step } from "../../../lib/model/plan.ts";
import type { BackOff } from "../../../lib/model/values/back-off.ts";
import { aCatalogue, aNode, anEntry, anOffer, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const backOff = (subject: string, over: Partial<BackOff> = {}): BackOff => ({
  subject,
  failures: 2,
  sinceMs: monday - 60_000,
  retryAtMs: monday + 30_000,
  note: "the table refuses it",
  ...over,
});
const known = (...backOffs: readonly BackOff[]) => ({ nowMs: monday, backOffs });

describe("steps that failed a moment ago", () => {
  const end = (node: string): Step => ({ kind: "end", node, because: "it is silent" });

  test("a step that rests is left out until it is due, and other steps and nodes are not", () => {
    const steps = [end("i-1"), end("i-2"), { ...end("i-1"), kind: "retire" } as Step];
    expect(withoutResting(steps, known(backOff("end i-1")))).toEqual({ steps: steps.slice(1), holds: [], dueAtMs: monday + 30_000 });
    expect(withoutResting(steps, known(backOff("end i-1", { retryAtMs: monday })))).toEqual({ steps, holds: [] });
    expect(withoutResting(steps, { nowMs: monday })).toEqual({ steps, holds: [] });
  });

  test("the next decision follows when the first of the steps that were left out is due", () => {
    const resting = known(
      backOff("end i-1"),
      backOff("end i-2", { retryAtMs: monday + 5_000 }),
      backOff("end i-3", { retryAtMs: monday + 1 }),
    );
    expect(withoutResting([end("i-1"), end("i-2")], resting).dueAtMs).toBe(monday + 5_000);
  });
});

describe("a launch that failed a moment ago", () => {
  test("its jobs say why they wait, and launches of other types, markets and teams go on", () => {
    const snapshot = aSnapshot({
      nowMs: monday,
      catalogue: aCatalogue({ offers: [anOffer()] }),
      queue: [anEntry({ job: "a" }), anEntry({ job: "b" })],
    });
    const [launch] = decide(snapshot).steps.filter(({ kind }) => kind === "launch");
    expect(launch).toBeDefined();
    const subject = launch ? subjectOf(launch) : "";
    expect(subject).toMatch(/^launch (spot|on-demand) g5\.xlarge/);
    const plan = decide({ ...snapshot, backOffs: [backOff(subject)] });
    expect(plan.steps.map((step) => [step.kind, "entry" in step ? step.entry.job : "", step.because])).toEqual(
      ["a", "b"].map((job) => [
        "hold",
        job,
        "it could not be started: the table refuses it; this is tried again and again, with growing pauses",
      ]),
    );
    expect(decide({ ...snapshot, backOffs: [backOff("launch spot p5.48xlarge")] }).steps.map(({ kind }) => kind)).toContain("launch");
  });
});

describe("jobs that could not be started a moment ago", () => {
  const [a, b] = [anEntry({ job: "a" }), anEntry({ job: "b" })];

  test("a job that rests gets no room, and the job behind it gets it", () => {
    const plan = decide(
      aSnapshot({
        nowMs: monday,
        pool: aPool({ limits: { usdPerHour: 0, gpus: 0 } }),
        queue: [a, b],
        nodes: [aNode({ lastSeenMs: monday })],
        backOffs: [backOff("place vision/a#1")],
      }),
    );
    expect(plan.steps.map((step) => [step.kind, "entry" in step ? step.entry.job : ""])).toEqual([
      ["hold", "a"],
      ["bind", "b"],
    ]);
    expect(plan.wakeAtMs).toBeLessThanOrEqual(monday + 30_000);
  });

  test("a job says why it waits from its second failure on, and only if it does not say so already", () => {
    const because = "it could not be started: the table refuses it; this is tried again and again, with growing pauses";
    const holds = (over: Partial<BackOff>, reason?: string) =>
      withoutRestingJobs([{ ...a, reason }], known(backOff("place vision/a#1", over))).holds;
    expect(holds({})).toEqual([{ kind: "hold", entry: a, because }]);
    expect(holds({ failures: 1 })).toEqual([]);
    expect(holds({}, because)).toEqual([]);
  });

  test("the next attempt of a job does not rest for what the last one met", () => {
    expect(withoutRestingJobs([anEntry({ job: "a", attempt: 2 })], known(backOff("place vision/a#1"))).queue).toHaveLength(1);
  });

  test("a job whose last run met trouble is not placed before its pause is over, and a decision follows then", () => {
    const entry = { ...a, notBeforeMs: monday + 60_000, reason: "S3 did not respond" };
    expect(withoutRestingJobs([entry, b], { nowMs: monday })).toEqual({ queue: [b], holds: [], dueAtMs: monday + 60_000 });
    expect(withoutRestingJobs([entry, b], { nowMs: monday + 60_000 })).toEqual({ queue: [entry, b], holds: [] });
  });
});
