import type { CodeStore } from "../../aws/artifacts/code.ts";
import type { ClientSettings } from "../../aws/clients/settings.ts";
import type { DatasetFiles } from "../../aws/datasets/dataset-files.ts";
import type { JobQueue } from "../../aws/queues/job-queue.ts";
import type { DatasetRef } from "../../model/dataset.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { ArtifactReader } from "../../ports/artifacts.ts";
import type { KeptLogs } from "../../ports/kept-logs.ts";
import { once } from "./once.ts";

/** Services that commands use directly, not through the API. */
export type Stores = {
  readonly queue: JobQueue;
  readonly code: CodeStore;
  readonly files: DatasetFiles;
  readonly artifacts: ArtifactReader;
  readonly keptLogs: KeptLogs;
};

/**
 * Returns the stores. Each loads its part of the AWS SDK on first use, because most commands use none, and loading all of it would take
 * longer than the commands themselves. `beforeWriting` runs before the first use of a store that writes.
 */
export function stores(
  settings: ClientSettings,
  { jobsQueuePrefix, codeBucket, datasetsBucket, ...rest }: Deployment,
  beforeWriting: () => Promise<void>,
): Stores {
  const s3 = once(async () => (await import("../../aws/clients/s3.ts")).s3Client(settings));
  const queue = once(async () => {
    await beforeWriting();
    const [{ sqsJobQueue }, { sqsClient }] = await Promise.all([
      import("../../aws/queues/job-queue.ts"),
      import("../../aws/clients/sqs.ts"),
    ]);
    return sqsJobQueue(sqsClient(settings), jobsQueuePrefix);
  });
  const code = once(async () => {
    await beforeWriting();
    return (await import("../../aws/artifacts/code.ts")).s3CodeStore({ s3: await s3(), codeBucket });
  });
  const files = once(async () => {
    await beforeWriting();
    return (await import("../../aws/datasets/dataset-files.ts")).s3DatasetFiles({ s3: await s3(), bucket: datasetsBucket });
  });
  const artifacts = once(async () => {
    const [{ s3ArtifactReader }, { kmsClient }] = await Promise.all([
      import("../../aws/artifacts/artifact-reader.ts"),
      import("../../aws/clients/kms.ts"),
    ]);
    const { artifactsBucket, keyAliasPrefix } = rest;
    return s3ArtifactReader({ s3: await s3(), kms: kmsClient(settings), artifactsBucket, keyAliasPrefix });
  });
  const keptLogs = once(async () => {
    const [{ s3KeptLogs }, { kmsClient }] = await Promise.all([
      import("../../aws/logs/log-segments.ts"),
      import("../../aws/clients/kms.ts"),
    ]);
    const { artifactsBucket, keyAliasPrefix } = rest;
    return s3KeptLogs({ s3: await s3(), kms: kmsClient(settings), artifactsBucket, keyAliasPrefix });
  });
  return {
    queue: {
      send: async (...args) => (await queue()).send(...args),
      sendAll: async (...args) => (await queue()).sendAll(...args),
    },
    code: { putCode: async (...args) => (await code()).putCode(...args) },
    artifacts: {
      list: async (...args) => (await artifacts()).list(...args),
      open: async (...args) => (await artifacts()).open(...args),
    },
    files: {
      list: async (...args) => (await files()).list(...args),
      isSame: async (...args) => (await files()).isSame(...args),
      put: async (...args) => (await files()).put(...args),
      remove: async (...args) => (await files()).remove(...args),
    },
    keptLogs: {
      segments: async (...args) => (await keptLogs()).segments(...args),
      open: async (...args) => (await keptLogs()).open(...args),
    },
  };
}

/** Returns the S3 source of a dataset that was uploaded. */
export const uploadedSource = ({ datasetsBucket }: Deployment, { team, dataset }: DatasetRef): string =>
  `s3://${datasetsBucket}/${team}/${dataset}/`;
