/** Why a job failed. */
export const failureCodes = [
  /** Its own runs failed: it has no retries left, or another run could not help. */
  "runs-failed",
  /** As many nodes as its pool allows were lost while it ran on them. */
  "nodes-lost",
  /** Its run ended well, but an artifact that it requires does not exist. */
  "artifact-missing",
  /** Its run ended well, but its artifacts could not be uploaded, read or sealed. */
  "artifacts-not-kept",
  /** A dataset that it uses does not exist or cannot be read. */
  "data-missing",
  /** Nothing that its pool may buy can ever hold it. */
  "never-fits",
  /** Its pool was removed from the configuration. */
  "pool-removed",
] as const;
export type FailureCode = (typeof failureCodes)[number];

/** Why a job ended, for programs. The job's reason says it in words. */
export const endCodes = ["succeeded", "rejected", "cancelled", ...failureCodes] as const;
export type EndCode = (typeof endCodes)[number];
