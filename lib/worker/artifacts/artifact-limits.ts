import { mostLeftOut } from "../../../events/artifacts/upload.ts";

export type ArtifactLimits = {
  readonly files: number;
  readonly bytes: number;
  /** Of a path as it is kept, in bytes: with what stands before and behind it, it must be a key in S3. */
  readonly path: number;
  /** Entries that are listed as left out; the others are counted. */
  readonly listed: number;
  /** Entries of one folder that are considered, and of all folders: these bound the worker's memory and time. */
  readonly inFolder: number;
  readonly entries: number;
  /** How long names may be compared with globs, ms: what is not looked at by then is left out. */
  readonly matchMs: number;
};

/** One Lambda seals them within its ten minutes. */
export const artifactLimits: ArtifactLimits = {
  files: 1_500,
  bytes: 10 * 1024 ** 3,
  path: 700,
  listed: mostLeftOut,
  inFolder: 100_000,
  entries: 1_000_000,
  matchMs: 60_000,
};
