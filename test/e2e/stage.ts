import { setTimeout as pause } from "node:timers/promises";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { firstTick } from "../../lib/cli/demo/first-tick.ts";
import { cloudFolder } from "../../lib/cli/invocation/folders.ts";
import { type Connection, connectLocal, localSettings } from "../../lib/cli/session/connection.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/cloud.ts";
import { isEnded, type Job } from "../../lib/model/job.ts";

/** A local cloud for tests, with the real stack, handlers and workers. */
export type Stage = {
  readonly cloud: LocalCloud;
  readonly connection: Connection;
  readonly s3: ReturnType<typeof s3Client>;
  /** Sends a message unchanged. Returns the id of its job. */
  send(body: string | object, team?: string): Promise<string>;
  /** Returns the job once `when` holds. Throws an error with its last state if that takes longer than `withinMs`. */
  until(job: string, when: (job: Job) => boolean, of?: { team?: string; withinMs?: number }): Promise<Job>;
  ended(job: string, team?: string): Promise<Job>;
  close(): Promise<void>;
};

export async function openStage(options: Partial<Parameters<typeof startLocalCloud>[0]> = {}): Promise<Stage> {
  const cloud = await startLocalCloud({ folder: cloudFolder, log: () => undefined, ...options });
  await firstTick(cloud);
  const connection = await connectLocal(cloud.deployment.name, cloud.endpoint);
  const until: Stage["until"] = async (job, when, { team = "research", withinMs = 45_000 } = {}) => {
    const deadline = performance.now() + withinMs;
    let last: Job | undefined;
    while (performance.now() < deadline) {
      last = await connection.jobs.get({ team, job });
      if (last && when(last)) return last;
      await pause(300);
    }
    throw new Error(`${team}/${job} did not get there within ${withinMs} ms; it was last: ${JSON.stringify(last)}`);
  };
  return {
    cloud,
    connection,
    s3: s3Client(localSettings(cloud.endpoint)),
    async send(body, team = "research") {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const { messageId } = await connection.queue.send(team, text);
      return typeof body === "object" && "id" in body ? String(body.id) : messageId;
    },
    until,
    ended: (job, team = "research") => until(job, (each) => isEnded(each.state), { team }),
    close: () => cloud.close(),
  };
}

/** Returns a job that runs a shell script. */
export const shell = (script: string, more: object = {}): object => ({ command: ["sh", "-c", script], maxRuntimeSeconds: 60, ...more });
