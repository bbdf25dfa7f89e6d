import pMap from "p-map";
import { type NotKept, type SealedManifest, sealedManifest, summaryOf, type Upload, type UploadedFile } from "../model/artifact.ts";
import { inWords } from "../model/errors/in-words.ts";
import { FleetError } from "../model/fleet-error.ts";
import { type AttemptRef, isEnded, type Job, jobName, type SealedArtifact } from "../model/job.ts";
import type { FailureCode } from "../model/values/job-end.ts";
import type { Log } from "../ports/log.ts";
import type { Ports } from "../ports/ports.ts";

export type SealDeps = Pick<Ports, "artifacts" | "sealing"> & { readonly now: () => number; readonly log: Log };

/**
 * `succeeded`, `failed`: the job ended like this. `kept`: the attempt's files are sealed, and its job does not change.
 * `nothing`: there is nothing to seal. `early`: the upload is not complete yet. `error`: why the upload cannot be read.
 */
export type SealedAttempt = {
  readonly kind: "succeeded" | "failed" | "kept" | "nothing" | "early";
  readonly files: number;
  readonly error?: unknown;
};

/** Each file is a separate stream; four keep the network busy without using much memory. */
const concurrency = 4;

/**
 * Seals the files of an attempt, however it ended, and then ends its job if the job waits for it. If some files were lost on the way,
 * the others are sealed and listed all the same. Sealing twice is harmless.
 * Throws a FleetError (retry) if the worker's own report of the end has not arrived yet.
 */
export async function sealAttempt(deps: SealDeps, attempt: AttemptRef): Promise<SealedAttempt> {
  const job = await deps.sealing.get(attempt);
  try {
    return await sealNow(deps, attempt, job);
  } catch (error) {
    await noteFailure(deps, attempt, error);
    throw error;
  }
}

/** Notes that the message about the attempt will be delivered again, and why the job is not sealed yet. A failure of that is only logged. */
async function noteFailure(deps: SealDeps, attempt: AttemptRef, failed: unknown): Promise<void> {
  const reason = `its results could not be sealed yet: ${cut(inWords(failed))}; they are kept, and this is tried again`;
  try {
    await deps.sealing.failedNow(attempt, { reason, atMs: deps.now() });
  } catch (error) {
    deps.log({ level: "error", message: "failed seal not noted", ...attempt, error });
  }
}

async function sealNow(deps: SealDeps, attempt: AttemptRef, job: Job | undefined): Promise<SealedAttempt> {
  switch (sealingState(job, attempt)) {
    case "unknown":
      await deps.sealing.over(attempt);
      return { kind: "nothing", files: 0 };
    case "under way":
      throw new FleetError("not-ended", `the run of ${jobName(attempt)} is not recorded as ended yet`, { retry: true });
    case "over":
      return keepOnly(deps, attempt);
    case "waits":
      return endJob(deps, attempt, { held: job?.node !== undefined });
  }
}

/** Returns the state of an attempt. The job's end depends only on an attempt that `waits`. */
function sealingState(job: Job | undefined, { attempt }: AttemptRef): "unknown" | "under way" | "over" | "waits" {
  if (!job || job.attempt < attempt) return "unknown";
  if (job.attempt > attempt || isEnded(job.state)) return "over";
  if (job.state === "queued") return "unknown";
  return job.state === "sealing" ? "waits" : "under way";
}

async function keepOnly(deps: SealDeps, attempt: AttemptRef): Promise<SealedAttempt> {
  const kept = await keep(deps, attempt);
  await deps.sealing.over(attempt);
  return "manifest" in kept ? { kind: "kept", files: kept.manifest.artifacts.length } : { kind: "nothing", files: 0, ...kept };
}

/** `held`: the attempt's node still holds it, so its upload may still be completed. */
async function endJob(deps: SealDeps, attempt: AttemptRef, { held }: { held: boolean }): Promise<SealedAttempt> {
  const kept = await keep(deps, attempt);
  if (!("manifest" in kept)) {
    if (kept.error === undefined && held) return { kind: "early", files: 0 };
    const written = await deps.sealing.fail(attempt, { failure: "artifacts-not-kept", reason: whyNotKept(kept.error) }, deps.now());
    return { ...(await ended(deps, attempt, { kind: "failed", files: 0, written })), ...kept };
  }
  const { manifest } = kept;
  const files = manifest.artifacts.length;
  // The worker reports its upload as failed or stopped, or is gone. Either way the job is queued again or fails for that reason.
  if (manifest.incomplete) return { kind: "kept", files };
  const artifacts = summaryOf(manifest);
  const failure = whyFailed(manifest);
  if (failure !== undefined) {
    const written = await deps.sealing.fail(attempt, { artifacts, ...failure }, deps.now());
    return ended(deps, attempt, { kind: "failed", files, written });
  }
  const written = await deps.sealing.succeed(attempt, { artifacts, reason: whatIsMissing(manifest) }, deps.now());
  return ended(deps, attempt, { kind: "succeeded", files, written });
}

/** Returns the result of ending the job. If it was cancelled or queued again while its files were sealed, they are kept all the same. */
async function ended(
  deps: SealDeps,
  attempt: AttemptRef,
  { kind, files, written }: { kind: "succeeded" | "failed"; files: number; written: "done" | "stale" },
): Promise<SealedAttempt> {
  if (written === "done") return { kind, files };
  await deps.sealing.over(attempt);
  return { kind: files > 0 ? "kept" : "nothing", files };
}

/** `error`: why nothing can be kept, now or later; undefined if there is no upload (yet). */
type Kept = { readonly manifest: SealedManifest } | { readonly error?: FleetError };

/** Seals the files and then the list. If there is a sealed list, all files that it names were sealed before. */
async function keep(deps: SealDeps, attempt: AttemptRef): Promise<Kept> {
  try {
    const before = await deps.artifacts.sealedList(attempt);
    if (before) return { manifest: before };
    const upload = await deps.artifacts.uploaded(attempt);
    return upload ? { manifest: await seal(deps, attempt, upload) } : {};
  } catch (error) {
    // If a manifest cannot be read now, it never can.
    if (!(error instanceof FleetError) || error.retry) throw error;
    return { error };
  }
}

async function seal(deps: SealDeps, attempt: AttemptRef, upload: Upload): Promise<SealedManifest> {
  const results = await pMap(upload.artifacts, (file) => sealOne(deps, attempt, file), { concurrency });
  const sealed = results.flatMap((result) => ("sealed" in result ? [result.sealed] : []));
  const lost = results.flatMap((result) => ("lost" in result ? [result.lost] : []));
  const manifest = sealedManifest(attempt, upload, { sealed, lost, atMs: deps.now() });
  await deps.artifacts.sealList(manifest);
  return manifest;
}

async function sealOne(deps: SealDeps, attempt: AttemptRef, file: UploadedFile): Promise<{ sealed: SealedArtifact } | { lost: NotKept }> {
  const result = await deps.artifacts.seal(attempt, file);
  return result.kind === "sealed" ? { sealed: result.artifact } : { lost: { path: file.path, because: result.because } };
}

/** Limits for reasons, because people read them and they must fit into the job's item. */
const maxNames = 5;
const longestName = 200;

const cut = (text: string): string => (text.length <= longestName ? text : `${text.slice(0, longestName - 1)}…`);
const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** Returns the first names, and how many more there are. */
function named(names: readonly string[]): string {
  const first = names.slice(0, maxNames).map(cut).join(", ");
  return names.length > maxNames ? `${first} and ${names.length - maxNames} more` : first;
}

/** Returns why a job fails if its upload cannot be read or no longer exists. */
const whyNotKept = (error: unknown): string =>
  `could not keep its artifacts: ${error === undefined ? "its upload is no longer there" : inWords(error)}`;

/** Returns why a job fails although its run ended with exit code 0; undefined if it succeeds. The kept files can be fetched either way. */
function whyFailed(manifest: SealedManifest): { readonly failure: FailureCode; readonly reason: string } | undefined {
  const { artifacts, lost, failed } = manifest;
  const reasons = [
    ...(failed === undefined ? [] : [failed]),
    ...(lost.length > 0
      ? [`could not keep ${lost.length} of its artifacts: ${named(lost.map(({ path, because }) => `${path} (${because})`))}`]
      : []),
  ];
  if (reasons.length === 0) return undefined;
  const rest = artifacts.length > 0 ? [`${count(artifacts.length, "file is", "files are")} kept`] : [];
  return { failure: failed === undefined ? "artifacts-not-kept" : "artifact-missing", reason: [...reasons, ...rest].join("; ") };
}

/** Returns which named artifacts of a successful job did not exist, and how many entries could not be kept; undefined if none. */
function whatIsMissing(manifest: SealedManifest): string | undefined {
  const { missing } = manifest;
  const { leftOut } = summaryOf(manifest);
  const remarks = [
    ...(missing.length > 0
      ? [`${count(missing.length, "named artifact was", "named artifacts were")} not there: ${named(missing.map((name) => `"${name}"`))}`]
      : []),
    ...(leftOut > 0 ? [`${count(leftOut, "entry was", "entries were")} left out`] : []),
  ];
  return remarks.length > 0 ? remarks.join("; ") : undefined;
}
