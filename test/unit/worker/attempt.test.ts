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
} from "../../../lib/worker/attempt/attempt.ts";

const ref = { team: "vision", job: "train-1", attempt: 2 };
const through = (...events: AttemptEvent[]): AttemptState => events.reduce<AttemptState>(next, { phase: "preparing" });

const started: AttemptEvent = { kind: "started", atMs: 5 };
const exited = (exitCode: number, leaves = true): AttemptEvent => ({ kind: "exited", startedAtMs: 5, exitCode, reason: "why", leaves });
const mayUpload: AttemptEvent = { kind: "may-upload" };
const uploaded: AttemptEvent = { kind: "uploaded" };
const stop: AttemptEvent = { kind: "stop", because: "the job was cancelled" };
const failed: AttemptEvent = { kind: "failed", reason: "no archive", again: false, leaves: false };
const lost: AttemptEvent = { kind: "failed", reason: "the container was lost", again: true, leaves: true };
const noS3: AttemptEvent = { kind: "failed", reason: "S3 could not be reached", again: true, leaves: true };

describe("an attempt", () => {
  test("an attempt runs, may then upload, and has uploaded", () => {
    expect(through(started)).toEqual({ phase: "running", startedAtMs: 5 });
    expect(through(started, exited(0), mayUpload).phase).toBe("uploading");
    expect(through(started, exited(0), mayUpload, uploaded)).toEqual({ phase: "uploaded", startedAtMs: 5 });
  });

  test.each<[string, AttemptEvent[], object]>([
    ["failed", [started, exited(3)], { phase: "exited", exitCode: 3, reason: "why" }],
    ["ran too long", [started, exited(124)], { phase: "exited", exitCode: 124 }],
    ["lost its container", [started, lost], { phase: "failed", reason: "the container was lost", again: true }],
    ["was stopped", [started, stop, exited(143)], { phase: "stopped", because: "the job was cancelled" }],
  ])("an attempt that %s uploads too, and then reports the same end with nothing left to upload", (_name, before, end) => {
    const ended = through(...before);
    expect(ended).toMatchObject({ ...end, uploads: true });
    const uploading = next(ended, mayUpload);
    expect(uploading).toEqual({ phase: "uploading", end: ended });
    for (const after of [uploaded, noS3]) expect(next(uploading, after)).toEqual({ ...ended, uploads: false, sent: true });
  });

  test("an attempt does not upload before it may, if it left nothing, or twice", () => {
    expect(through(started, exited(0), uploaded).phase).toBe("exited");
    expect(through(failed, mayUpload).phase).toBe("failed");
    expect(through(started, exited(1, false), mayUpload).phase).toBe("exited");
    expect(through(started, exited(1), mayUpload, uploaded, mayUpload).phase).toBe("exited");
  });

  test("an attempt that ended successfully fails if its files could not be uploaded", () => {
    expect(through(started, exited(0), mayUpload, noS3)).toEqual({
      phase: "failed",
      reason: "S3 could not be reached",
      again: true,
      uploads: false,
    });
  });

  test("an attempt may end without having started", () => {
    expect(through(exited(127, false))).toMatchObject({ phase: "exited", uploads: false });
    expect(through(failed)).toEqual({ phase: "failed", reason: "no archive", again: false, uploads: false });
  });

  test.each([
    ["preparing", [], [failed], { uploads: false }],
    ["running", [started], [exited(143)], { uploads: true }],
    ["running, and exits well at that moment", [started], [exited(0)], { uploads: true }],
    ["uploading", [started, exited(0), mayUpload], [{ kind: "uploaded" }], { uploads: false, sent: true }],
  ] as [string, AttemptEvent[], AttemptEvent[], object][])(
    "an attempt is stopped only after what was in progress has ended: %s",
    (_name, before, end, uploads) => {
      const stopping = through(...before, stop);
      expect(stopping.phase).toBe("stopping");
      expect(isActive(stopping)).toBe(true);
      expect(end.reduce(next, stopping)).toEqual({ phase: "stopped", because: "the job was cancelled", ...uploads });
    },
  );

  test("an attempt that is stopped before it starts is still reported with its start time", () => {
    expect(through(stop, started)).toEqual({ phase: "stopping", because: "the job was cancelled", startedAtMs: 5 });
    expect(reportOf(ref, through(stop, started))).toEqual({ ...ref, phase: "running", startedAtMs: 5 });
  });

  test("an attempt whose upload is stopped keeps its end, unless that was successful", () => {
    expect(through(started, exited(3), mayUpload, stop, noS3)).toMatchObject({ phase: "exited", exitCode: 3, uploads: false });
    expect(through(started, exited(0), mayUpload, stop, noS3)).toMatchObject({ phase: "stopped", uploads: false });
  });

  test.each([[[started, exited(0)]], [[started, exited(1)]], [[failed]], [[started, exited(0), mayUpload, uploaded]]])(
    "an attempt is stopped at once if nothing is in progress",
    (before) => {
      expect(through(...before, stop).phase).toBe("stopped");
    },
  );

  test("an attempt keeps the first reason to stop, and only an upload leaves an ended state", () => {
    expect(through(started, stop, { kind: "stop", because: "another" })).toMatchObject({ because: "the job was cancelled" });
    const stopped = through(started, stop, exited(0));
    for (const event of [started, exited(0), uploaded, failed, stop]) expect(next(stopped, event)).toBe(stopped);
  });

  test("an attempt holds GPUs until its program ends, and credentials until it has uploaded", () => {
    expect([through(), through(started), through(started, stop)].map(holdsGpus)).toEqual([true, true, true]);
    const uploading = through(started, exited(1), mayUpload);
    const ended = [through(started, exited(0)), uploading, next(uploading, stop), through(failed), through(started, stop, exited(143))];
    expect(ended.map(holdsGpus)).toEqual([false, false, false, false, false]);
    expect(ended.map(needsCredentials)).toEqual([true, true, true, false, true]);
    expect(needsCredentials(through())).toBe(true);
    expect(needsCredentials(next(uploading, uploaded))).toBe(false);
  });
});

describe("the report about an attempt", () => {
  test("an attempt is not reported before its program runs, and its end is reported with its uploads for as long as the upload takes", () => {
    expect(reportOf(ref, through())).toBeUndefined();
    expect(reportOf(ref, through(stop))).toBeUndefined();
    expect(reportOf(ref, through(started, stop))).toEqual({ ...ref, phase: "running", startedAtMs: 5 });
    const exit = { ...ref, phase: "exited", startedAtMs: 5, exitCode: 3, reason: "why" };
    expect(reportOf(ref, through(started, exited(3)))).toEqual({ ...exit, uploads: true });
    expect(reportOf(ref, through(started, exited(3), mayUpload))).toEqual({ ...exit, uploads: true });
    expect(reportOf(ref, through(started, exited(3), mayUpload, stop))).toEqual({ ...exit, uploads: true });
    // Files were sent, so they must be sealed although the end was not recorded before.
    expect(reportOf(ref, through(started, exited(3), mayUpload, uploaded))).toEqual({ ...exit, uploads: false });
    expect(reportOf(ref, through(started, exited(3), mayUpload, stop, noS3))).toEqual({ ...exit, uploads: false });
    expect(reportOf(ref, through(started, exited(3), mayUpload, uploaded, stop))).toMatchObject({ phase: "stopped", uploads: false });
    expect(reportOf(ref, through(started, exited(3, false)))).toEqual(exit);
    expect(reportOf(ref, through(started, lost))).toMatchObject({ phase: "failed", again: true, uploads: true });
    expect(reportOf(ref, through(started, stop, exited(143)))).toEqual({
      ...ref,
      phase: "stopped",
      reason: "the job was cancelled",
      uploads: true,
    });
  });

  test("reasons are cut to the length that a call accepts", () => {
    const report = reportOf(ref, { phase: "failed", reason: "x".repeat(5000), again: true, uploads: false });
    expect(report).toMatchObject({ phase: "failed", again: true });
    expect(report?.phase === "failed" && report.reason.length).toBe(2000);
  });

  test("an attempt's key contains its team, job and number", () => {
    expect(keyOf(ref)).toBe("vision/train-1/2");
  });
});
