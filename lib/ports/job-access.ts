import type { AttemptRef } from "../model/job.ts";

/** Temporary credentials that reach what one attempt may touch, and nothing else. */
export type JobCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
};

export interface JobAccess {
  /** Tagged with team, job and attempt; good for an hour. */
  credentials(attempt: AttemptRef): Promise<JobCredentials>;
}
