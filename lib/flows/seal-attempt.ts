import pMap from "p-map";
import { Fault } from "../model/fault.ts";
import { type AttemptRef, type Job, jobName, type SealedArtifact } from "../model/job.ts";
import type { Artifacts, UploadedFile } from "../ports/artifacts.ts";
import type { Sealing } from "../ports/jobs.ts";

export type SealDeps = { readonly sealing: Sealing; readonly artifacts: Artifacts; readonly now: () => number };

/** `stale`: not the attempt that counts, so nothing of it is promoted. `early`: its upload is not whole yet. */
export type SealedAttempt = { readonly kind: "succeeded" | "failed" | "stale" | "early"; readonly files: number };

/** Each file is a stream of its own; four keep the network busy and the memory small. */
const concurrency = 4;

/**
 * Seals what an attempt left and ends its job: `succeeded` only when every file rests sealed.
 * Doing it twice is harmless. Throws a Fault (retry) when the worker's own report has not arrived yet.
 */
export async function sealAttempt(deps: SealDeps, attempt: AttemptRef): Promise<SealedAttempt> {
  const job = await deps.sealing.get(attempt);
  if (!job || job.attempt !== attempt.attempt) return { kind: "stale", files: 0 };
  if (job.state === "placed" || job.state === "running") {
    throw new Fault("not-ended", `the run of ${jobName(attempt)} is not on record as ended yet`, { retry: true });
  }
  if (job.state !== "sealing") return { kind: "stale", files: 0 };
  const upload = await uploadOf(deps, job);
  if (upload === "early") return { kind: "early", files: 0 };
  if ("lost" in upload) return failed(deps, attempt, { why: [upload.lost], files: 0 });

  const { files } = upload;
  const results = await pMap(files, (file) => sealOne(deps, attempt, file), { concurrency });
  const lost = results.flatMap((result) => ("lost" in result ? [result.lost] : []));
  if (lost.length > 0) return failed(deps, attempt, { why: lost, files: files.length });
  const sealed = results.flatMap((result) => ("sealed" in result ? [result.sealed] : []));
  try {
    const written = await deps.sealing.succeed(attempt, sealed, deps.now());
    return { kind: written === "done" ? "succeeded" : "stale", files: sealed.length };
  } catch (error) {
    if (!(error instanceof Fault) || error.retry) throw error;
    return failed(deps, attempt, { why: [error.message], files: sealed.length });
  }
}

/** `early`: it may still become whole, for its node has not let go of it. `lost`: nobody will ever complete it. */
async function uploadOf(deps: SealDeps, job: Job): Promise<{ files: readonly UploadedFile[] } | { lost: string } | "early"> {
  try {
    const files = await deps.artifacts.uploaded({ team: job.team, job: job.job, attempt: job.attempt });
    if (files) return { files };
    return job.node === undefined ? { lost: "its upload is no longer there" } : "early";
  } catch (error) {
    // A manifest that cannot be read now never can.
    if (!(error instanceof Fault) || error.retry) throw error;
    return { lost: error.message };
  }
}

/** The reason is read by people, and has to fit into the job's item. */
const mostReasons = 5;

async function failed(
  deps: SealDeps,
  attempt: AttemptRef,
  { why, files }: { why: readonly string[]; files: number },
): Promise<SealedAttempt> {
  const said = [...why.slice(0, mostReasons), ...(why.length > mostReasons ? [`and ${why.length - mostReasons} more`] : [])];
  await deps.sealing.fail(attempt, `could not keep its artifacts: ${said.join("; ")}`, deps.now());
  return { kind: "failed", files };
}

async function sealOne(deps: SealDeps, attempt: AttemptRef, file: UploadedFile): Promise<{ sealed: SealedArtifact } | { lost: string }> {
  const result = await deps.artifacts.seal(attempt, file);
  switch (result.kind) {
    case "sealed":
      return { sealed: result.artifact };
    case "missing":
      return { lost: `${file.path} was not uploaded` };
    case "corrupt":
      return { lost: `${file.path} does not have the checksum that the worker computed` };
  }
}
