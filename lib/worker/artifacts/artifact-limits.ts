import { maxLeftOut } from "../../../events/artifacts/upload.ts";

export type ArtifactLimits = {
  readonly files: number;
  readonly bytes: number;
  /** The longest path, in bytes and as it is kept. Together with its prefix and suffix it must fit into an S3 key. */
  readonly path: number;
  /** How many entries are listed as left out. Further ones are only counted. */
  readonly listed: number;
  /** How many entries are considered per folder (`inFolder`) and in all (`entries`). These bound the worker's memory and time. */
  readonly inFolder: number;
  readonly entries: number;
  /** How long names may be compared with globs, in ms. What has not been considered by then is left out. */
  readonly matchMs: number;
};

/** One Lambda function must be able to seal all files within its ten minutes. */
export const artifactLimits: ArtifactLimits = {
  files: 1_500,
  bytes: 10 * 1024 ** 3,
  path: 700,
  listed: maxLeftOut,
  inFolder: 100_000,
  entries: 1_000_000,
  matchMs: 60_000,
};
