import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { expect, inject, test } from "vitest";
import { s3BootDownloads } from "../../lib/aws/access/boot-urls.ts";
import { stsJobAccess } from "../../lib/aws/access/job-access.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { stsClient } from "../../lib/aws/clients/sts.ts";
import { MemoryJobAccess } from "../../lib/sim/memory/job-access.ts";
import { jobAccessContract } from "./suites/access.ts";
import { unique, wire } from "./wire.ts";

const settings = wire(inject("ministackUrl"));
const role = "arn:aws:iam::000000000000:role/fleetwright-job";

jobAccessContract("in memory", () => new MemoryJobAccess(Date.now));
jobAccessContract("STS", () => stsJobAccess(stsClient(settings), role));

test("the session of an attempt's credentials names the attempt", async () => {
  const credentials = await stsJobAccess(stsClient(settings), role).credentials({ team: "vision", job: "train-1", attempt: 3 });
  const { Arn } = await stsClient({ ...settings, credentials }).send(new GetCallerIdentityCommand({}));
  expect(Arn).toContain("/vision.train-1.3");
});

test("the boot URLs can be downloaded without credentials", async () => {
  // The emulator checks the signatures of presigned URLs only, and accepts only keys that it has issued itself.
  const credentials = await stsJobAccess(stsClient(settings), role).credentials({ team: "vision", job: "any", attempt: 1 });
  const s3 = s3Client({ ...settings, credentials });
  const Bucket = unique("assets");
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "sub/worker.mjs", Body: "the worker" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "node.tar.gz", Body: "node itself" }));
  const urls = await s3BootDownloads(s3, { worker: `${Bucket}/sub/worker.mjs`, node: `${Bucket}/node.tar.gz` }).urls();
  const fetched = await Promise.all([urls.workerUrl, urls.nodeUrl].map(async (url) => (await fetch(url)).text()));
  expect(fetched).toEqual(["the worker", "node itself"]);
  for (const url of [urls.workerUrl, urls.nodeUrl]) expect(new URL(url).searchParams.get("X-Amz-Expires")).toBe("900");
});
