import type { AttemptRef, JobSpec } from "../model/job.ts";

export type JobPlace = {
  readonly work: string;
  readonly tmp: string;
  /** Indexes of the node's GPUs that the attempt may use. */
  readonly gpus: readonly number[];
  /** The worker's own search path. */
  readonly path: string;
};

/** The variable by which the processes of an attempt are known, wherever they move. */
export const placeVariable = "FLEETWRIGHT_FOLDER";

/**
 * The whole environment of a job's program. Nothing of the worker's own gets in but the search path: no AWS variable,
 * no credentials. What Fleetwright says about the attempt cannot be overridden by the job.
 */
export const jobEnvironment = (ref: AttemptRef, spec: Pick<JobSpec, "env" | "artifacts">, place: JobPlace): Record<string, string> => ({
  PATH: place.path,
  HOME: place.work,
  TMPDIR: place.tmp,
  LANG: "C.UTF-8",
  ...spec.env,
  FLEETWRIGHT_TEAM: ref.team,
  FLEETWRIGHT_JOB: ref.job,
  FLEETWRIGHT_ATTEMPT: String(ref.attempt),
  /** The paths that are kept when the job succeeds, one a line. */
  FLEETWRIGHT_ARTIFACTS: spec.artifacts.join("\n"),
  [placeVariable]: place.work,
  CUDA_DEVICE_ORDER: "PCI_BUS_ID",
  CUDA_VISIBLE_DEVICES: place.gpus.join(","),
});
