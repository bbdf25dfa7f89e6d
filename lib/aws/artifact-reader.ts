import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { Fault } from "../model/fault.ts";
import type { ArtifactReader } from "../ports/artifacts.ts";
import { decrypting, sealContext } from "./envelope.ts";
import { openObject } from "./objects.ts";
import { checking } from "./plaintext-check.ts";
import { teamKeys } from "./team-keys.ts";

export type S3ArtifactReaderConfig = {
  readonly s3: Pick<S3Client, "send">;
  readonly kms: Pick<KMSClient, "send">;
  readonly artifactsBucket: string;
  readonly keyAliasPrefix: string;
};

/** Under its own name a file appears only when all of it was found to be what was sealed; its folders are made. */
export const s3ArtifactReader = (config: S3ArtifactReaderConfig): ArtifactReader => {
  const keyOf = teamKeys(config.kms, config.keyAliasPrefix);
  return {
    async open(attempt, artifact, file) {
      const keyArn = await keyOf(attempt.team);
      const sealed = await openObject(config.s3, { Bucket: config.artifactsBucket, Key: artifact.key });
      if (sealed === undefined) throw new Fault("missing", `There is no sealed file ${artifact.key}`);
      const part = `${file}.${randomUUID()}.part`;
      try {
        await mkdir(dirname(file), { recursive: true });
        const plain = decrypting(config.kms, keyArn, sealContext(attempt, artifact.path));
        await pipeline(sealed.body, plain, checking(artifact), createWriteStream(part, { flags: "wx", mode: 0o600 }));
        await rename(part, file);
      } catch (cause) {
        sealed.body.destroy();
        await rm(part, { force: true });
        if (cause instanceof Fault) throw cause;
        const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
        throw new Fault("not-opened", `${artifact.path} could not be opened: ${why}`, { cause });
      }
    },
  };
};
