import { join } from "node:path";
import { s3ArtifactReader } from "../aws/artifact-reader.ts";
import { type ClientSettings, kmsClient, logsClient, s3Client, sqsClient, ssmClient } from "../aws/clients.ts";
import { findDeployment } from "../aws/deployment.ts";
import { documentClient } from "../aws/document-client.ts";
import { type JobQueue, sqsJobQueue } from "../aws/job-queue.ts";
import { type AttemptLog, cloudWatchAttemptLog } from "../aws/log-reader.ts";
import { createJobReader } from "../aws/table/job-reader.ts";
import { readAnnouncement } from "../local/announcement.ts";
import type { Deployment } from "../model/deployment.ts";
import type { ArtifactReader } from "../ports/artifacts.ts";
import type { JobReader } from "../ports/jobs.ts";
import { UsageError } from "./exit.ts";

/** Where the local cloud keeps what it needs. */
export const stateFolder = join(import.meta.dirname, "..", "..", ".fleetwright");

/** One deployment, as the commands reach it. */
export type Connection = {
  readonly deployment: Deployment;
  readonly jobs: JobReader;
  readonly queue: JobQueue;
  readonly artifacts: ArtifactReader;
  readonly logs: AttemptLog;
};

/** How the local cloud is signed to: any key will do there. */
export const localSettings = (endpoint: string): ClientSettings => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** Options that every command has. */
export type Target = { readonly name: string; readonly aws: boolean };

/**
 * Connects to the local cloud while one runs beside this checkout (unless `aws` is asked for),
 * else to AWS with the usual credentials and region. Says on `note` which one it is when that may surprise.
 */
export async function connect(target: Target, note: (line: string) => void): Promise<Connection> {
  const endpoint = target.aws ? undefined : (await readAnnouncement(stateFolder))?.endpoint;
  if (endpoint) note(`local cloud at ${endpoint} (--aws for AWS itself)`);
  return connectTo(target.name, endpoint === undefined ? {} : localSettings(endpoint));
}

/** Connects to a local cloud by its address. */
export const connectLocal = (name: string, endpoint: string): Promise<Connection> => connectTo(name, localSettings(endpoint));

async function connectTo(name: string, settings: ClientSettings): Promise<Connection> {
  const deployment = await findDeployment(ssmClient(settings), name);
  const s3 = s3Client(settings);
  const client = documentClient(settings);
  return {
    deployment,
    jobs: createJobReader({ client, table: deployment.table }),
    queue: sqsJobQueue(sqsClient(settings), deployment.jobsQueuePrefix),
    artifacts: s3ArtifactReader({
      s3,
      kms: kmsClient(settings),
      artifactsBucket: deployment.artifactsBucket,
      keyAliasPrefix: deployment.keyAliasPrefix,
    }),
    logs: cloudWatchAttemptLog(logsClient(settings), deployment.logGroupPrefix),
  };
}

/** The team that a command speaks for: the one named, else the only one there is. */
export function teamOf(named: string | undefined, deployment: Deployment): string {
  const { teams } = deployment;
  if (named !== undefined) {
    if (teams.includes(named)) return named;
    throw new UsageError(`there is no team ${named}; there are: ${teams.join(", ")}`);
  }
  const [only, ...more] = teams;
  if (only !== undefined && more.length === 0) return only;
  throw new UsageError(`say for which team: --team ${teams.join(" | --team ")} (or set FLEETWRIGHT_TEAM)`);
}
