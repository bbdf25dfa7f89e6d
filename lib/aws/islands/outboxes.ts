import { Readable } from "node:stream";
import { DecryptCommand, type KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { segmentKey, segmentMetadata } from "../../../events/artifacts/log-segment.ts";
import { readManifest } from "../../../events/artifacts/manifest.ts";
import { fileKey, manifestKey } from "../../../events/artifacts/upload.ts";
import { outboxContext, outboxKey, sealedLimitBytes } from "../../../events/outbox/outbox.ts";
import { type OutboxPartBody, partsOf } from "../../../events/outbox/parts.ts";
import { opened, readSealHeader, type SealHeader } from "../../../events/outbox/sealed.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { ByteSource } from "../../model/files/byte-source.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { OutboxRef } from "../../model/job.ts";
import type { Outboxes } from "../../ports/islands/outboxes.ts";
import { teamKeys } from "../artifacts/team-keys.ts";
import { awsErrorCode, isDefinite } from "../errors.ts";
import { uploadObject } from "../objects/object-upload.ts";
import { openObject } from "../objects/objects.ts";

export type S3OutboxesConfig = {
  readonly s3: S3Client;
  readonly kms: Pick<KMSClient, "send">;
  readonly incomingBucket: string;
  readonly keyAliasPrefix: string;
};

/** The most parts that are taken in: far more than any worker leaves, because each costs a request. */
const mostParts = 10_000;
/** As for a manifest that a worker uploads. */
const longestManifest = 8 * 1024 ** 2;
/** S3's limit for keys, in UTF-8. */
const longestKey = 1024;

export function s3Outboxes(config: S3OutboxesConfig): Outboxes {
  const { s3, kms, incomingBucket, keyAliasPrefix } = config;
  const keyOf = teamKeys(kms, keyAliasPrefix);
  return {
    async open(outbox) {
      const object = await openObject(s3, { Bucket: incomingBucket, Key: outboxKey(outbox) });
      if (object === undefined) return undefined;
      const close = (): void => void object.body.destroy();
      try {
        if (object.bytes > sealedLimitBytes) throw wrong(`it has ${object.bytes} bytes; at most ${sealedLimitBytes} are allowed`);
        const source = new ByteSource(object.body);
        const header = await readSealHeader(source);
        const dataKey = await unwrapped(kms, { header, outbox, keyArn: await keyOf(outbox.team) });
        const parts = partsOf(opened({ dataKey, salt: header.salt, context: outboxContext(outbox) }, source));
        const first = await parts.next();
        if (first.done || first.value.head.kind !== "end") throw wrong("it does not begin with the end of its attempt");
        const { process, report } = first.value.head;
        return { process, report, close, deliver: () => deliver(config, { outbox, parts }) };
      } catch (error) {
        close();
        throw error;
      }
    },
  };
}

/** KMS unwraps the key only with the context of this attempt and node, so the key proves that it was ordered there. */
async function unwrapped(
  kms: Pick<KMSClient, "send">,
  { header, outbox, keyArn }: { readonly header: SealHeader; readonly outbox: OutboxRef; readonly keyArn: string },
): Promise<Buffer> {
  try {
    const { Plaintext } = await kms.send(
      new DecryptCommand({ KeyId: keyArn, CiphertextBlob: header.wrappedKey, EncryptionContext: { ...outboxContext(outbox) } }),
    );
    if (Plaintext) return Buffer.from(Plaintext);
  } catch (error) {
    const isForged = error instanceof Error && ["InvalidCiphertextException", "IncorrectKeyException"].includes(error.name);
    throw new FleetError("outbox", `KMS does not unwrap its data key: ${awsErrorCode(error)}: ${inWords(error)}`, {
      retry: !isForged && !isDefinite(error),
      cause: error,
    });
  }
  throw new FleetError("outbox", "KMS returned no data key", { retry: true });
}

type Parts = { readonly outbox: OutboxRef; readonly parts: AsyncIterable<OutboxPartBody> };

/** Uploads the parts as they are read. The manifest is the last, when the whole outbox is known to be authentic, because it starts the sealing. */
async function deliver(config: S3OutboxesConfig, { outbox, parts }: Parts): Promise<{ readonly isWhole: boolean }> {
  let manifest: string | undefined;
  let count = 0;
  for await (const { head, body } of parts) {
    count += 1;
    if (count > mostParts) throw wrong(`it has more than ${mostParts} parts`);
    if (manifest !== undefined) throw wrong("something follows its list of files");
    switch (head.kind) {
      case "end":
        throw wrong("it reports two ends");
      case "segment":
        await put(config, { outbox, Key: segmentKey({ ...outbox, ...head }), body, Metadata: segmentMetadata(head.facts) });
        break;
      case "file":
        await put(config, { outbox, Key: fileKey(outbox, head.path), body });
        break;
      case "manifest":
        manifest = await textOf(body);
    }
  }
  if (manifest === undefined) return { isWhole: false };
  const { incomplete } = readManifest(outbox, manifest);
  await put(config, { outbox, Key: manifestKey(outbox), body: Readable.from([Buffer.from(manifest)]) });
  return { isWhole: incomplete !== true };
}

type Part = {
  readonly outbox: OutboxRef;
  readonly Key: string;
  readonly body: AsyncIterable<Buffer>;
  readonly Metadata?: Record<string, string>;
};

async function put({ s3, incomingBucket, keyAliasPrefix }: S3OutboxesConfig, { outbox, Key, body, Metadata }: Part): Promise<void> {
  // A worker cannot upload such a file either.
  if (Buffer.byteLength(Key) > longestKey) return;
  const encryption = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: `${keyAliasPrefix}${outbox.team}` } as const;
  const object = { Bucket: incomingBucket, Key, ...encryption, ...(Metadata && { Metadata }) };
  await uploadObject(s3, object, { source: Readable.from(body), stages: [], bytes: sealedLimitBytes });
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > longestManifest) throw wrong("its list of files is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const wrong = (why: string): FleetError => new FleetError("outbox", `the outbox cannot be taken in: ${why}`);
