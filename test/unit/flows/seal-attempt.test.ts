import { describe, expect, test } from "vitest";
import { fileKey, manifestKey } from "../../../events/artifacts/upload.ts";
import { type SealDeps, sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { Job } from "../../../lib/model/job.ts";
import type { MemoryArtifacts } from "../../../lib/sim/memory/artifacts.ts";
import { aJob, monday } from "../../fakes/builders.ts";
import { aWorld } from "./world.ts";

const attempt = { team: "vision", job: "train-1", attempt: 2 };
const files = { "out/model.pt": "weights", "out/log.txt": "done" };

/** A world where the second attempt of a job waits to be sealed. */
function sealing(over: Partial<Job> = {}) {
  const world = aWorld();
  const { artifacts } = world.ports;
  const { ledger } = world;
  ledger.table.putJob(aJob({ state: "sealing", attempt: 2, ...over }));
  ledger.table.awaitSealing(attempt, monday);
  const deps: SealDeps = { ...world.deps, now: () => monday + 5 };
  const paths = (): readonly string[] | undefined => artifacts.listed(attempt)?.artifacts.map(({ path }) => path);
  const waits = (): number => ledger.table.sealingSince.size;
  return { ledger, artifacts, deps, paths, waits, job: () => world.job("train-1") };
}

test("a job succeeds when all its files are sealed and listed", async () => {
  const { artifacts, deps, job, paths, waits } = sealing();
  artifacts.upload(attempt, files);
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 2 });
  expect(paths()).toEqual(["out/model.pt", "out/log.txt"]);
  expect(job()).toMatchObject({ state: "succeeded", endedAtMs: monday + 5, artifacts: { files: 2, bytes: 11, leftOut: 0, lost: 0 } });
  expect(job()?.reason).toBeUndefined();
  expect(waits()).toBe(0);
});

test("a job without files succeeds when its attempt is sealed", async () => {
  const { artifacts, deps, job } = sealing();
  artifacts.upload(attempt, {});
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 0 });
  expect(job()).toMatchObject({ state: "succeeded", artifacts: { files: 0, bytes: 0 } });
});

test("a job with a missing artifact or entries that were left out succeeds and says so", async () => {
  const { artifacts, deps, job } = sealing();
  const leftOut = ["a", "b", "c"].map((path) => ({ path, because: "it is a socket" }));
  artifacts.upload(attempt, files, { leftOut, missing: ["ckpt/*.pt"] });
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 2 });
  expect(job()).toMatchObject({
    state: "succeeded",
    reason: '1 named artifact was not there: "ckpt/*.pt"; 3 entries were left out',
    artifacts: { files: 2, leftOut: 3, missing: ["ckpt/*.pt"] },
  });
  expect(artifacts.listed(attempt)).toMatchObject({ leftOut, missing: ["ckpt/*.pt"] });
});

test("a job without a required artifact fails, and its other files are kept", async () => {
  const { artifacts, deps, job, paths } = sealing();
  artifacts.upload(attempt, files, { missing: ["model.bin"], failed: 'the required artifact "model.bin" is not there' });
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "failed", files: 2 });
  expect(job()).toMatchObject({
    state: "failed",
    reason: 'the required artifact "model.bin" is not there; 2 files are kept',
    artifacts: { files: 2 },
  });
  expect(paths()).toEqual(["out/model.pt", "out/log.txt"]);
});

test("an incomplete upload of a successful run is kept, and its job does not end with it", async () => {
  const { ledger, artifacts, deps, job, paths, waits } = sealing();
  artifacts.upload(attempt, files, { leftOut: [{ path: "big.bin", because: "no time" }], incomplete: true });
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "kept", files: 2 });
  expect(paths()).toEqual(["out/model.pt", "out/log.txt"]);
  expect([job()?.state, waits()]).toEqual(["sealing", 1]);
  ledger.table.putJob(aJob({ state: "queued", attempt: 3 }));
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "kept", files: 2 });
  expect([job()?.state, waits()]).toEqual(["queued", 0]);
});

test("an attempt may keep more files than an item of the table could list", async () => {
  const { artifacts, deps, job, paths } = sealing();
  const many = Array.from({ length: 2_500 }, (_, n) => [`${"folder/".repeat(20)}part-${n}.bin`, "x"] as const);
  artifacts.upload(attempt, Object.fromEntries(many));
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 2_500 });
  expect(paths()).toHaveLength(2_500);
  expect(JSON.stringify(job()).length).toBeLessThan(2_000);
});

describe("a failure while sealing", () => {
  test.each(["uploaded", "sealedList", "seal", "sealList"] as const)("a failure of %s is made up for by the next try", async (method) => {
    const { artifacts, deps, job, paths } = sealing();
    artifacts.upload(attempt, files);
    artifacts.interruptions.failBefore(method, method === "seal" ? 2 : 1);
    await expect(sealAttempt(deps, attempt)).rejects.toThrow(method);
    expect(job()).toMatchObject({ state: "sealing" });
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "succeeded", files: 2 });
    expect(paths()).toHaveLength(2);
  });

  test("a retry after the list was sealed does not seal the files again, and the job ends all the same", async () => {
    const { ledger, artifacts, deps, job } = sealing();
    artifacts.upload(attempt, files, { failed: "there is no model.bin" });
    ledger.wire.failBefore("sealing.fail");
    await expect(sealAttempt(deps, attempt)).rejects.toThrow("sealing.fail");
    const list = artifacts.listed(attempt);
    artifacts.incoming.clear();
    expect(await sealAttempt({ ...deps, now: () => monday + 60_000 }, attempt)).toEqual({ kind: "failed", files: 2 });
    expect(artifacts.listed(attempt)).toEqual(list);
    expect(job()).toMatchObject({ state: "failed", endCode: "artifact-missing", reason: expect.stringContaining("there is no model.bin") });
  });
});

test("sealing an attempt twice has no further effect", async () => {
  const { artifacts, deps, job } = sealing();
  artifacts.upload(attempt, files);
  await sealAttempt(deps, attempt);
  const [after, list] = [job(), artifacts.listed(attempt)];
  expect(await sealAttempt({ ...deps, now: () => monday + 60_000 }, attempt)).toEqual({ kind: "kept", files: 2 });
  expect(job()).toEqual(after);
  expect(artifacts.listed(attempt)).toEqual(list);
});

test("sealing an attempt twice at once has the effect of once", async () => {
  const { artifacts, deps, job } = sealing();
  artifacts.upload(attempt, files);
  const both = await Promise.all([sealAttempt(deps, attempt), sealAttempt(deps, attempt)]);
  expect(both.map((each) => each.kind)).toContain("succeeded");
  expect(job()).toMatchObject({ state: "succeeded" });
});

describe("an attempt that is not the job's current one", () => {
  test.each<[string, Partial<Job>]>([
    ["another attempt runs", { attempt: 3, state: "running" }],
    ["the job waits again", { attempt: 3, state: "queued" }],
    ["the job was cancelled", { state: "cancelled" }],
    ["the job has failed", { state: "failed" }],
    ["another attempt has succeeded", { attempt: 3, state: "succeeded" }],
  ])("the files of an attempt are kept and its job does not change if %s", async (_what, over) => {
    const { artifacts, deps, job, paths, waits } = sealing(over);
    artifacts.upload(attempt, files, { failed: "there is no model.bin" });
    const before = job();
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "kept", files: 2 });
    expect(paths()).toEqual(["out/model.pt", "out/log.txt"]);
    expect(job()).toEqual(before);
    expect(waits()).toBe(0);
  });

  test("the files of an attempt are kept if its job was queued again while it was sealed", async () => {
    const { ledger, artifacts, deps, job, paths, waits } = sealing();
    artifacts.upload(attempt, files);
    ledger.wire.before("sealing.succeed", () => ledger.table.putJob(aJob({ state: "queued", attempt: 3 })));
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "kept", files: 2 });
    expect(job()).toMatchObject({ state: "queued", attempt: 3 });
    expect(paths()).toHaveLength(2);
    expect(waits()).toBe(0);
  });
});

/** What reading a manifest that is not JSON throws. */
const unreadable = expect.objectContaining({ name: "FleetError", code: "manifest", cause: expect.any(SyntaxError) });

describe("an attempt with nothing to seal", () => {
  test.each<[string, Partial<Job>]>([
    ["an attempt that has not started", { attempt: 1 }],
    ["an attempt of a job that waits for its node", { state: "queued" }],
    ["an attempt that left no files", { state: "failed" }],
  ])("nothing is sealed of %s", async (_what, over) => {
    const { artifacts, deps, job } = sealing(over);
    const before = job();
    if (over.state !== "failed") artifacts.upload(attempt, files);
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "nothing", files: 0 });
    expect(artifacts.sealed.size).toBe(0);
    expect(job()).toEqual(before);
  });

  test("nothing is sealed for an unknown job", async () => {
    const { deps } = sealing();
    expect(await sealAttempt(deps, { ...attempt, job: "nobody" })).toEqual({ kind: "nothing", files: 0 });
  });

  test("an attempt that is over and has an unreadable manifest no longer waits to be sealed", async () => {
    const { artifacts, deps, waits } = sealing({ state: "cancelled" });
    artifacts.incoming.set(manifestKey(attempt), Buffer.from("{"));
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "nothing", files: 0, error: unreadable });
    expect(waits()).toBe(0);
  });
});

test.each(["placed", "running"] as const)("sealing a run that is recorded as %s is retried later", async (state) => {
  const { artifacts, deps } = sealing({ state });
  artifacts.upload(attempt, files);
  await expect(sealAttempt(deps, attempt)).rejects.toMatchObject({ name: "FleetError", code: "not-ended", retry: true });
});

test("an upload that is not complete is left alone", async () => {
  const { deps, job, waits } = sealing({ node: "i-0000000000000001" });
  expect(await sealAttempt(deps, attempt)).toEqual({ kind: "early", files: 0 });
  expect(job()).toMatchObject({ state: "sealing" });
  expect(waits()).toBe(1);
});

test("an upload that is gone or cannot be read fails the job, because nothing else would end it", async () => {
  const gone = sealing();
  expect(await sealAttempt(gone.deps, attempt)).toEqual({ kind: "failed", files: 0 });
  expect(gone.job()).toMatchObject({
    state: "failed",
    endCode: "artifacts-not-kept",
    reason: "could not keep its artifacts: its upload is no longer there",
  });

  const broken = sealing();
  broken.artifacts.incoming.set(manifestKey(attempt), Buffer.from("{"));
  expect(await sealAttempt(broken.deps, attempt)).toEqual({ kind: "failed", files: 0, error: unreadable });
  const words = "could not keep its artifacts: the list of files that the worker uploaded cannot be read: it is not JSON";
  expect(broken.job()).toMatchObject({ state: "failed", reason: words });
});

test("a key that is refused for good fails the job with the reason, and an error that may be retried is thrown", async () => {
  const refused = sealing();
  refused.artifacts.upload(attempt, files);
  const error = new FleetError("denied", "KMS did not use the team's key");
  const sealList = (): Promise<void> => Promise.reject(error);
  const bound = {
    sealList,
    sealedList: async () => undefined,
    uploaded: () => refused.artifacts.uploaded(attempt),
    seal: (...args: Parameters<MemoryArtifacts["seal"]>) => refused.artifacts.seal(...args),
  };
  expect(await sealAttempt({ ...refused.deps, artifacts: bound }, attempt)).toEqual({ kind: "failed", files: 0, error });
  expect(refused.job()).toMatchObject({ reason: "could not keep its artifacts: KMS did not use the team's key" });
});

describe("a lost file", () => {
  test.each<[string, (artifacts: MemoryArtifacts) => void, string]>([
    ["missing", ({ incoming }) => incoming.delete(fileKey(attempt, "out/log.txt")), "it was not uploaded"],
    [
      "corrupt",
      ({ incoming }) => incoming.set(fileKey(attempt, "out/log.txt"), Buffer.from("d0ne")),
      "it does not have the checksum that the worker computed",
    ],
  ])("the other files can be fetched if one is %s, and the job names the lost one", async (_what, spoil, because) => {
    const { artifacts, deps, job } = sealing();
    artifacts.upload(attempt, files);
    spoil(artifacts);
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "failed", files: 1 });
    expect(job()).toMatchObject({
      state: "failed",
      artifacts: { files: 1, lost: 1 },
      reason: `could not keep 1 of its artifacts: out/log.txt (${because}); 1 file is kept`,
    });
    expect(artifacts.listed(attempt)).toMatchObject({ artifacts: [{ path: "out/model.pt" }], lost: [{ path: "out/log.txt", because }] });
  });

  test("the other files are kept if one has a name that cannot be kept", async () => {
    const { artifacts, deps, job, paths } = sealing();
    artifacts.upload(attempt, { ...files, "out/logs\\events.txt": "odd" });
    expect(await sealAttempt(deps, attempt)).toEqual({ kind: "failed", files: 2 });
    expect(paths()).toEqual(["out/model.pt", "out/log.txt"]);
    expect(job()?.reason).toContain("out/logs\\events.txt (it is not named or described as a file that can be kept)");
  });
});

describe("the reason of a job that lost artifacts", () => {
  const reasonFor = async (missing: readonly string[]) => {
    const { artifacts, deps, job } = sealing();
    artifacts.upload(attempt, files, { missing: [...missing] });
    await sealAttempt(deps, attempt);
    return job()?.reason;
  };
  const names = (count: number) => Array.from({ length: count }, (_, n) => `m${n}`);

  test("the reason names five artifacts, and counts the others", async () => {
    expect(await reasonFor(names(5))).toBe('5 named artifacts were not there: "m0", "m1", "m2", "m3", "m4"');
    expect(await reasonFor(names(6))).toBe('6 named artifacts were not there: "m0", "m1", "m2", "m3", "m4" and 1 more');
  });

  test("the reason cuts a name with its quotes after 200 characters", async () => {
    expect(await reasonFor(["x".repeat(198)])).toBe(`1 named artifact was not there: "${"x".repeat(198)}"`);
    expect(await reasonFor(["x".repeat(199)])).toBe(`1 named artifact was not there: "${"x".repeat(198)}…`);
  });
});
