import { randomUUID } from "node:crypto";
import { createWriteStream, rmSync } from "node:fs";
import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { ArtifactReader } from "../../ports/artifacts.ts";
import { openObject } from "../objects/objects.ts";
import { checking } from "../objects/plaintext-check.ts";
import { decrypting, sealContext } from "./envelope.ts";
import { readSealedManifest } from "./sealed-manifest.ts";
import { teamKeys } from "./team-keys.ts";

export type S3ArtifactReaderConfig = {
  readonly s3: Pick<S3Client, "send">;
  readonly kms: Pick<KMSClient, "send">;
  readonly artifactsBucket: string;
  readonly keyAliasPrefix: string;
};

/** A file gets its name only after its whole content has been verified against the seal. Its folders are created. */
export const s3ArtifactReader = (config: S3ArtifactReaderConfig): ArtifactReader => {
  const { s3, kms, artifactsBucket } = config;
  const keyOf = teamKeys(kms, config.keyAliasPrefix);
  return {
    list: async (attempt) => readSealedManifest({ s3, kms, artifactsBucket, keyArn: await keyOf(attempt.team) }, attempt),

    async open(attempt, artifact, file) {
      const keyArn = await keyOf(attempt.team);
      const sealed = await openObject(s3, { Bucket: artifactsBucket, Key: artifact.key }, { ifDenied: "absent" });
      if (sealed === undefined) throw new FleetError("missing", `There is no sealed file ${artifact.key}`);
      const whole = Buffer.from(file);
      // Not derived from the file's name, which may already have the greatest length.
      const part = Buffer.concat([folderOf(whole), Buffer.from(`/.fleet-${randomUUID()}.part`)]);
      // Ctrl-C may end the process in the middle of the file.
      const remove = (): void => rmSync(part, { force: true });
      process.once("exit", remove);
      try {
        await mkdir(folderOf(whole), { recursive: true });
        const plain = await decrypting(kms, keyArn, sealContext(attempt, artifact.path));
        // The umask removes its bits from the mode.
        const written = createWriteStream(part, { flags: "wx", mode: artifact.mode | ownersOwn });
        await pipeline(sealed.body, plain, checking(artifact), written);
        await keepMode(part, artifact.mode);
        await rename(part, whole);
      } catch (cause) {
        sealed.body.destroy();
        await rm(part, { force: true });
        if (cause instanceof FleetError) throw cause;
        throw new FleetError("not-opened", `${artifact.path} could not be opened: ${inWords(cause).split("\n")[0]}`, { cause });
      } finally {
        process.off("exit", remove);
      }
    },
  };
};

/** Added while a file is written, because its mode may not allow its owner to write. */
const ownersOwn = 0o600;

async function keepMode(file: Buffer, mode: number): Promise<void> {
  if ((mode & ownersOwn) === ownersOwn) return;
  const written = await stat(file);
  await chmod(file, written.mode & 0o777 & mode);
}

const slash = "/".charCodeAt(0);
const folderOf = (file: Buffer): Buffer => {
  const end = file.lastIndexOf(slash);
  return end < 0 ? Buffer.from(".") : file.subarray(0, Math.max(1, end));
};
