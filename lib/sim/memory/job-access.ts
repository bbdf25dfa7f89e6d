import { createHash } from "node:crypto";
import type { AttemptRef } from "../../model/job.ts";
import type { OutboxKeys } from "../../ports/islands/outboxes.ts";
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

/** Returns keys that differ for each attempt and node. The wrapped key is the data key, so that anyone can open an outbox. */
export const memoryOutboxKeys: OutboxKeys = {
  async generate({ node, team, job, attempt }) {
    const key = createHash("sha256").update(`${node} ${team}.${job}.${attempt}`).digest("base64");
    return { dataKey: key, wrappedKey: key };
  },
};

export const memoryBootDownloads: BootDownloads = {
  urls: async () => ({ workerUrl: "https://assets.invalid/worker.mjs?signed", nodeUrl: "https://assets.invalid/node.tar.gz?signed" }),
};
