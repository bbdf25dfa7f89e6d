import type { AttemptRef } from "../model/job.ts";

/** Temporary credentials that give access to the data of one attempt, and to nothing else. */
export type JobCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
};

export interface JobAccess {
  /** Returns new credentials, tagged with team, job and attempt. They are valid for an hour. */
  credentials(attempt: AttemptRef): Promise<JobCredentials>;
}

/** Where a booting instance downloads its worker and the Node.js that runs it. */
export interface BootDownloads {
  /** Returns presigned URLs. They are valid for 15 minutes and need no credentials. */
  urls(): Promise<{ readonly workerUrl: string; readonly nodeUrl: string }>;
}
