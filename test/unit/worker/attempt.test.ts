import { describe, expect, test } from "vitest";
import {
  type AttemptEvent,
  type AttemptState,
  holdsGpus,
  isActive,
  keyOf,
  needsCredentials,
  next,
  reportOf,
} from "../../../lib/worker/attempt.ts";

const ref = { team: "vision", job: "train-1", attempt: 2 };
const through = (...events: AttemptEvent[]): AttemptState => events.reduce<AttemptState>(next, { phase: "preparing" });

const started: AttemptEvent = { kind: "started", atMs: 5 };
const exited = (exitCode: number): AttemptEvent => ({ kind: "exited", startedAtMs: 5, exitCode, reason: "why" });
const recorded: AttemptEvent = { kind: "exit-recorded" };
const stop: AttemptEvent = { kind: "stop", because: "the job was cancelled" };
const failed: AttemptEvent = { kind: "failed", reason: "no archive", again: false };

describe("an attempt", () => {
  test("runs, is on record, uploads", () => {
    expect(through(started)).toEqual({ phase: "running", startedAtMs: 5 });
    expect(through(started, exited(0), recorded)).toEqual({ phase: "uploading", startedAtMs: 5 });
    expect(through(started, exited(0), recorded, { kind: "uploaded" })).toEqual({ phase: "uploaded", startedAtMs: 5 });
  });

  test("never uploads after a failing exit, nor before its exit is on record", () => {
    expect(through(started, exited(1), recorded).phase).toBe("exited");
    expect(through(started, exited(0), { kind: "uploaded" }).phase).toBe("exited");
  });

  test("may end without having started", () => {
    expect(through(exited(127)).phase).toBe("exited");
    expect(through(failed)).toEqual({ phase: "failed", reason: "no archive", again: false });
  });

  test.each([
    ["preparing", [], [failed]],
    ["running", [started], [exited(143)]],
    ["running, and exits well at that moment", [started], [exited(0)]],
    ["uploading", [started, exited(0), recorded], [{ kind: "uploaded" }]],
  ] as [string, AttemptEvent[], AttemptEvent[]][])("is stopped only once what was under way has ended: %s", (_name, before, end) => {
    const stopping = through(...before, stop);
    expect(stopping.phase).toBe("stopping");
    expect(isActive(stopping)).toBe(true);
    expect(end.reduce(next, stopping)).toEqual({ phase: "stopped", because: "the job was cancelled" });
  });

  test.each([[[started, exited(0)]], [[started, exited(1)]], [[failed]], [[started, exited(0), recorded, { kind: "uploaded" } as const]]])(
    "is stopped at once when nothing is under way",
    (before) => {
      expect(through(...before, stop).phase).toBe("stopped");
    },
  );

  test("keeps the first reason to stop, and nothing leaves an ended state", () => {
    expect(through(started, stop, { kind: "stop", because: "another" })).toMatchObject({ because: "the job was cancelled" });
    const stopped = through(started, stop, exited(0));
    for (const event of [started, exited(0), recorded, failed, stop]) expect(next(stopped, event)).toBe(stopped);
  });

  test("holds GPUs until its program has ended, and credentials until it is uploaded", () => {
    expect([through(), through(started), through(started, stop)].map(holdsGpus)).toEqual([true, true, true]);
    expect([through(started, exited(0)), through(started, exited(0), recorded), through(failed)].map(holdsGpus)).toEqual([
      false,
      false,
      false,
    ]);
    expect([through(), through(started, exited(0)), through(started, exited(0), recorded)].map(needsCredentials)).toEqual([
      true,
      true,
      true,
    ]);
    expect([through(started, exited(1)), through(failed)].map(needsCredentials)).toEqual([false, false]);
  });
});

describe("what the server is told", () => {
  test("nothing before the program runs; the exit for as long as the upload takes", () => {
    expect(reportOf(ref, through())).toBeUndefined();
    expect(reportOf(ref, through(stop))).toBeUndefined();
    expect(reportOf(ref, through(started, stop))).toEqual({ ...ref, phase: "running", startedAtMs: 5 });
    expect(reportOf(ref, through(started, exited(0), recorded))).toEqual({ ...ref, phase: "exited", startedAtMs: 5, exitCode: 0 });
    expect(reportOf(ref, through(started, exited(3)))).toEqual({ ...ref, phase: "exited", startedAtMs: 5, exitCode: 3, reason: "why" });
  });

  test("reasons are cut to what the call takes", () => {
    const report = reportOf(ref, { phase: "failed", reason: "x".repeat(5000), again: true });
    expect(report).toMatchObject({ phase: "failed", again: true });
    expect(report?.phase === "failed" && report.reason.length).toBe(2000);
  });

  test("two attempts never share a key", () => {
    expect(keyOf(ref)).toBe("vision/train-1/2");
  });
});
