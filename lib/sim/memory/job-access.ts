import type { AttemptRef } from "../../model/job.ts";
import type { BootDownloads, JobAccess, JobCredentials } from "../../ports/job-access.ts";
import { Interruptions } from "./interruptions.ts";

/** Hands out credentials whose session token names the attempt. */
export class MemoryJobAccess implements JobAccess {
  readonly interruptions = new Interruptions<"credentials">();
  readonly given: AttemptRef[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  credentials({ team, job, attempt }: AttemptRef): Promise<JobCredentials> {
    return this.interruptions.call("credentials", () => {
      this.given.push({ team, job, attempt });
      return {
        accessKeyId: `ASIA${this.given.length}`,
        secretAccessKey: "secret",
        sessionToken: `${team}.${job}.${attempt}`,
        expiresAtMs: this.#now() + 3_600_000,
      };
    });
  }
}

export const memoryBootDownloads: BootDownloads = {
  urls: async () => ({ workerUrl: "https://assets.invalid/worker.mjs?signed", nodeUrl: "https://assets.invalid/node.tar.gz?signed" }),
};
