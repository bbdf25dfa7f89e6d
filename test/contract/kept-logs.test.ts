import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { CreateAliasCommand, CreateKeyCommand } from "@aws-sdk/client-kms";
import { CopyObjectCommand, CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, expect, inject, test } from "vitest";
import { sealedSegmentKey, segmentKey, segmentMetadata } from "../../events/artifacts/log-segment.ts";
import { kmsClient } from "../../lib/aws/clients/kms.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { s3KeptLogs, s3LogSegments } from "../../lib/aws/logs/log-segments.ts";
import type { SegmentRef } from "../../lib/model/job.ts";
import { unique, wire } from "./wire.ts";

const s3 = s3Client(wire(inject("ministackUrl")));
const kms = kmsClient(wire(inject("ministackUrl")));
const [incomingBucket, artifactsBucket] = [unique("incoming"), unique("artifacts")];
const keyAliasPrefix = `alias/${unique("fleetwright")}/`;
const config = { s3, kms, incomingBucket, artifactsBucket, keyAliasPrefix };
const segments = s3LogSegments(config);
const logs = s3KeptLogs(config);

beforeAll(async () => {
  for (const Bucket of [incomingBucket, artifactsBucket]) await s3.send(new CreateBucketCommand({ Bucket }));
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  await kms.send(new CreateAliasCommand({ AliasName: `${keyAliasPrefix}vision`, TargetKeyId: KeyMetadata?.KeyId ?? "" }));
});

async function upload(segment: SegmentRef, text: string, over: { offset?: number; last?: boolean; sha256?: string } = {}): Promise<void> {
  const Body = gzipSync(text);
  const sha256 = createHash("sha256").update(Body).digest("hex");
  const Metadata = segmentMetadata({ sha256, bytes: text.length, offset: 0, last: false, ...over });
  await s3.send(new PutObjectCommand({ Bucket: incomingBucket, Key: segmentKey(segment), Body, Metadata }));
}
const anAttempt = () => ({ team: "vision", job: unique("train"), attempt: 1 });

test("a log is read as it was uploaded, in order, once its segments are sealed", async () => {
  const attempt = anAttempt();
  const parts = [0, 1, 2].map((number) => ({ ...attempt, rank: 0, number }));
  for (const part of parts) await upload(part, `part ${part.number}\n`, { offset: part.number * 7, last: part.number === 2 });
  await upload({ ...attempt, rank: 1, number: 0 }, "of another member\n");
  expect(await logs.segments(attempt, 0)).toEqual([]);
  expect(await segments.unsealed(attempt)).toHaveLength(4);
  for (const part of parts.toReversed()) expect(await segments.seal(part)).toEqual({ kind: "sealed", bytes: 7 });
  expect(await segments.seal(parts[0] ?? { ...attempt, rank: 0, number: 0 })).toEqual({ kind: "sealed", bytes: 7 });
  expect(await segments.unsealed(attempt)).toMatchObject([{ rank: 1, number: 0 }]);
  const listed = await logs.segments(attempt, 0);
  expect(listed).toMatchObject(parts);
  const opened = await Promise.all(listed.map((part) => logs.open(part)));
  expect(opened.map(({ gzip }) => gunzipSync(gzip).toString()).join("")).toBe("part 0\npart 1\npart 2\n");
  expect(opened.map(({ bytes, offset, last }) => [bytes, offset, last])).toEqual([
    [7, 0, false],
    [7, 7, false],
    [7, 14, true],
  ]);
});

test("a segment that is missing or differs from what the worker uploaded is not sealed", async () => {
  const part = { ...anAttempt(), rank: 0, number: 0 };
  expect(await segments.seal(part)).toEqual({ kind: "missing" });
  await upload(part, "text", { sha256: "0".repeat(64) });
  expect(await segments.seal(part)).toEqual({ kind: "corrupt" });
  expect(await logs.segments(part, 0)).toEqual([]);
});

test("a log segment cannot be decrypted in the place of another one", async () => {
  const attempt = anAttempt();
  const [first, second] = [0, 1].map((number) => ({ ...attempt, rank: 0, number })) as [SegmentRef, SegmentRef];
  await upload(first, "first");
  await segments.seal(first);
  const CopySource = `${artifactsBucket}/${sealedSegmentKey(first)}`;
  await s3.send(new CopyObjectCommand({ Bucket: artifactsBucket, Key: sealedSegmentKey(second), CopySource }));
  await expect(logs.open(second)).rejects.toThrow("sealed for another team, job, attempt or path");
  await expect(logs.open({ ...attempt, rank: 5, number: 0 })).rejects.toThrow("is missing");
});
