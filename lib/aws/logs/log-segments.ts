import { createHash } from "node:crypto";
import { type Duplex, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import {
  logPrefix,
  SegmentFacts,
  sealedSegmentKey,
  segmentKey,
  segmentMetadata,
  segmentOfKey,
  segmentPath,
} from "../../../events/artifacts/log-segment.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef, SegmentRef } from "../../model/job.ts";
import type { KeptLogs, LogSegments } from "../../ports/kept-logs.ts";
import { decrypting, encrypting, sealContext } from "../artifacts/envelope.ts";
import { teamKeys } from "../artifacts/team-keys.ts";
import { awsErrorKind } from "../errors.ts";
import { allPages } from "../pages.ts";

type Clients = {
  readonly s3: Pick<S3Client, "send">;
  readonly kms: Pick<KMSClient, "send">;
  readonly artifactsBucket: string;
  readonly keyAliasPrefix: string;
};

/** A worker closes a segment at 8 MiB, and the data that gzip still holds then is added. */
const maxBytes = 32 * 1024 ** 2;

/** Seals segments, each of which fits into memory. */
export const s3LogSegments = (config: Clients & { readonly incomingBucket: string }): LogSegments => {
  const keyOf = teamKeys(config.kms, config.keyAliasPrefix);
  const keysBelow = listing(config.s3);
  return {
    async seal(segment) {
      const found = await segmentIn(config.s3, { Bucket: config.incomingBucket, Key: segmentKey(segment) });
      if (found === undefined) return { kind: "missing" };
      const { body, facts } = found;
      if (facts === undefined || createHash("sha256").update(body).digest("hex") !== facts.sha256) return { kind: "corrupt" };
      const cipher = await encrypting(config.kms, await keyOf(segment.team), sealContext(segment, segmentPath(segment)));
      const Body = await through(body, cipher);
      const object = { Bucket: config.artifactsBucket, Key: sealedSegmentKey(segment), ContentType: "application/octet-stream" };
      await config.s3.send(new PutObjectCommand({ ...object, Body, Metadata: segmentMetadata(facts) }));
      return { kind: "sealed", bytes: facts.bytes };
    },

    async unsealed(attempt) {
      const prefix = logPrefix(attempt);
      const [uploaded, sealed] = await Promise.all([
        keysBelow(config.incomingBucket, prefix),
        keysBelow(config.artifactsBucket, prefix).then((keys) => new Set(keys)),
      ]);
      return segmentsOf(uploaded, attempt).filter((segment) => !segment.sealed && !sealed.has(sealedSegmentKey(segment)));
    },
  };
};

export const s3KeptLogs = (config: Clients): KeptLogs => {
  const keyOf = teamKeys(config.kms, config.keyAliasPrefix);
  const keysBelow = listing(config.s3);
  return {
    async segments(attempt, rank) {
      const keys = await keysBelow(config.artifactsBucket, logPrefix(attempt, rank));
      return segmentsOf(keys, attempt).filter(({ sealed }) => sealed);
    },

    async open(segment) {
      const keyArn = await keyOf(segment.team);
      const found = await segmentIn(config.s3, { Bucket: config.artifactsBucket, Key: sealedSegmentKey(segment) });
      const name = segmentPath(segment);
      if (found?.facts === undefined) throw new FleetError("missing", `the part ${name} of the log is missing`);
      const { body, facts } = found;
      try {
        const gzip = await through(body, await decrypting(config.kms, keyArn, sealContext(segment, name)));
        const { bytes, offset, last } = facts;
        return { gzip, bytes, offset, last };
      } catch (cause) {
        if (cause instanceof FleetError) throw cause;
        throw new FleetError("not-opened", `the part ${name} of the log could not be opened: ${inWords(cause).split("\n")[0]}`, { cause });
      }
    },
  };
};

type Found = { readonly body: Buffer; readonly facts: SegmentFacts | undefined };

/** Returns a segment, or undefined if there is none. Its facts are undefined if they are malformed or the segment is too large. */
async function segmentIn(
  s3: Pick<S3Client, "send">,
  object: { readonly Bucket: string; readonly Key: string },
): Promise<Found | undefined> {
  try {
    const { Body, ContentLength, Metadata } = await s3.send(new GetObjectCommand(object));
    if (!(Body instanceof Readable))
      throw new FleetError("object", `S3 returned no body for ${object.Bucket}/${object.Key}`, { retry: true });
    if ((ContentLength ?? 0) > maxBytes) {
      Body.destroy();
      return { body: Buffer.alloc(0), facts: undefined };
    }
    return { body: await buffer(Body), facts: SegmentFacts.safeParse(Metadata).data };
  } catch (error) {
    if (awsErrorKind(error) === "missing") return undefined;
    throw error;
  }
}

async function through(bytes: Buffer, stage: Duplex): Promise<Buffer> {
  let result: Buffer = Buffer.alloc(0);
  await pipeline(Readable.from([bytes], { objectMode: false }), stage, async (source: AsyncIterable<Buffer>) => {
    result = await buffer(source);
  });
  return result;
}

const listing =
  (s3: Pick<S3Client, "send">) =>
  async (Bucket: string, Prefix: string): Promise<readonly string[]> => {
    const keys = await allPages(async (ContinuationToken) => {
      const { Contents, NextContinuationToken } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
      return { items: Contents?.map(({ Key = "" }) => Key), next: NextContinuationToken };
    });
    return keys;
  };

const segmentsOf = (keys: readonly string[], { team, job, attempt }: AttemptRef): (SegmentRef & { readonly sealed: boolean })[] =>
  keys
    .flatMap((key) => segmentOfKey(key) ?? [])
    .filter((segment) => segment.team === team && segment.job === job && segment.attempt === attempt)
    .sort((a, b) => a.rank - b.rank || a.number - b.number);
