import { describe, expect, test } from "vitest";
import { fileKey } from "../../../events/upload.ts";
import { type SealDeps, sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import { Fault } from "../../../lib/model/fault.ts";
import type { Job } from "../../../lib/model/job.ts";
import { MemoryArtifacts } from "../../../lib/sim/memory/artifacts.ts";
import { memoryLedger } from "../../../lib/sim/memory/ledger.ts";
import { aJob, monday } from "../../fakes/builders.ts";

const attempt = { team: "vision", job: "train-1", attempt: 2 };
const files = { "out/model.pt": "weights", "out/log.txt": "done" };

function world(over: Partial<Job> = {}) {
  const ledger = memoryLedger();
  const artifacts = new MemoryArtifacts();
  ledger.table.putJob(aJob({ state: "sealing", attempt: 2, ...over }));
  const deps: SealDeps = { sealing: ledger.sealing, artifacts, now: () => monday + 5 };
  return { ledger, artifacts, deps, job: () => ledger.table.jobs.get("vision/train-1") };
}

test("a job has succeeded when every file of it is sealed", async () => {
  const { artifacts, deps, job } = world();
  artifacts.upload(attempt, files);
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 2 });
  expect(artifacts.sealed.size).toBe(2);
  expect(job()).toMatchObject({ state: "succeeded", endedAtMs: monday + 5, artifacts: [{ path: "out/model.pt", bytes: 7 }, {}] });
});

test("a job that leaves nothing succeeds, too", async () => {
  const { artifacts, deps, job } = world();
  artifacts.upload(attempt, {});
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 0 });
  expect(job()).toMatchObject({ state: "succeeded", artifacts: [] });
});

test("it has not while a file is being sealed", async () => {
  const { artifacts, deps, job } = world();
  artifacts.upload(attempt, files);
  artifacts.interruptions.failBefore("seal", 2);
  await expect(sealAttempt(deps, attempt)).rejects.toThrow("seal");
  expect(job()).toMatchObject({ state: "sealing" });
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 2 });
});

test("done twice is done once", async () => {
  const { artifacts, deps, job } = world();
  artifacts.upload(attempt, files);
  await sealAttempt(deps, attempt);
  const after = job();
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "stale", files: 0 });
  expect(job()).toEqual(after);
});

test("done by two at once is done once", async () => {
  const { artifacts, deps, job } = world();
  artifacts.upload(attempt, files);
  const both = await Promise.all([sealAttempt(deps, attempt), sealAttempt(deps, attempt)]);
  expect(both.map((each) => each.kind)).toContain("succeeded");
  expect(job()).toMatchObject({ state: "succeeded" });
});

describe("nothing is promoted", () => {
  test.each<[string, Partial<Job>]>([
    ["of an attempt that counts no more", { attempt: 3 }],
    ["of a job that waits again", { state: "queued" }],
    ["of a job that was cancelled", { state: "cancelled" }],
    ["of a job that has failed", { state: "failed" }],
  ])("%s", async (_what, over) => {
    const { artifacts, deps, job } = world(over);
    artifacts.upload(attempt, files);
    const before = job();
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "stale", files: 0 });
    expect(artifacts.sealed.size).toBe(0);
    expect(job()).toEqual(before);
  });

  test("of a job that nobody knows", async () => {
    const { deps } = world();
    expect(await sealAttempt(deps, { ...attempt, job: "nobody" })).toEqual({ kind: "stale", files: 0 });
  });

  test("of an attempt that was given away while it was sealed", async () => {
    const { ledger, artifacts, deps, job } = world();
    artifacts.upload(attempt, files);
    ledger.wire.before("sealing.succeed", () => ledger.table.putJob(aJob({ state: "queued", attempt: 3 })));
    expect(await sealAttempt(deps, attempt)).toMatchObject({ kind: "stale" });
    expect(job()).toMatchObject({ state: "queued", attempt: 3 });
  });
});

test.each(["placed", "running"] as const)("a run that is on record as %s is not over: again later", async (state) => {
  const { artifacts, deps } = world({ state });
  artifacts.upload(attempt, files);
  await expect(sealAttempt(deps, attempt)).rejects.toMatchObject({ name: "Fault", code: "not-ended", retry: true });
});

test("an upload that is not whole is left alone", async () => {
  const { deps, job } = world({ node: "i-0000000000000001" });
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "early", files: 0 });
  expect(job()).toMatchObject({ state: "sealing" });
});

test("an upload that is gone, or cannot be read, fails the job: nothing would ever end it", async () => {
  const gone = world();
  expect(await sealAttempt(gone.deps, attempt)).toEqual({ kind: "failed", files: 0 });
  expect(gone.job()).toMatchObject({ state: "failed", reason: "could not keep its artifacts: its upload is no longer there" });

  const broken = world();
  const artifacts = { ...broken.deps.artifacts, uploaded: () => Promise.reject(new Fault("manifest", "The manifest is not JSON")) };
  expect(await sealAttempt({ ...broken.deps, artifacts }, attempt)).toEqual({ kind: "failed", files: 0 });
  expect(broken.job()).toMatchObject({ state: "failed", reason: "could not keep its artifacts: The manifest is not JSON" });
});

test("a file that is missing fails the job, by its name", async () => {
  const { artifacts, deps, job } = world();
  artifacts.upload(attempt, files);
  artifacts.incoming.delete(fileKey(attempt, "out/log.txt"));
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "failed", files: 2 });
  expect(job()).toMatchObject({ state: "failed", reason: "could not keep its artifacts: out/log.txt was not uploaded" });
});

test("a file that is not what the worker had fails the job, by its name", async () => {
  const { artifacts, deps, job } = world();
  artifacts.upload(attempt, files);
  artifacts.incoming.set(fileKey(attempt, "out/model.pt"), Buffer.from("weighty"));
  await sealAttempt(deps, attempt);
  expect(job()).toMatchObject({ state: "failed", reason: expect.stringContaining("out/model.pt does not have the checksum") });
  expect(job()?.artifacts).toBeUndefined();
});
