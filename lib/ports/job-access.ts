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

/** Where a booting instance fetches its worker and the Node that runs it. */
export interface BootDownloads {
  /** Good for a quarter of an hour, for whoever holds them. */
  urls(): Promise<{ readonly workerUrl: string; readonly nodeUrl: string }>;
}
