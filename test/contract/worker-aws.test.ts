import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, CreateLogGroupCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { buildWorker } from "../../cdk/bundles/worker-assets.ts";
import { Manifest } from "../../events/artifacts/upload.ts";
import type { JobSpec } from "../../lib/model/job.ts";
import { craftArchive } from "../unit/worker/archives.ts";
import {
  fakeMetadataService,
  fakeNodeFunction,
  type Listening,
  orders,
  type Reply,
  type Report,
  runOrder,
} from "../unit/worker/http-fakes.ts";
import { startWorker, type WorkerProcess } from "../unit/worker/worker-process.ts";

/** Runs the bundle as it is deployed with an emulator's S3, KMS and CloudWatch Logs. */
const endpoint = inject("ministackUrl");
const client = { endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
const s3 = new S3Client({ ...client, forcePathStyle: true });
const logs = new CloudWatchLogsClient(client);
const name = `worker-${randomUUID().slice(0, 8)}`;
const bucket = `${name}-incoming`;
const group = `/fleetwright/${name}`;
const until = { timeout: 20_000, interval: 50 };

let kmsKey: string;
let bundle: string;
beforeAll(async () => {
  bundle = buildWorker().worker;
  const kms = new KMSClient(client);
  const [key] = await Promise.all([
    kms.send(new CreateKeyCommand({})),
    s3.send(new CreateBucketCommand({ Bucket: bucket })),
    logs.send(new CreateLogGroupCommand({ logGroupName: group })),
  ]);
  kmsKey = key.KeyMetadata?.Arn ?? "";
  kms.destroy();
});
afterAll(() => {
  s3.destroy();
  logs.destroy();
});

let folder: string;
let metadata: Listening;
let server: Awaited<ReturnType<typeof fakeNodeFunction>>;
let reply: (call: Report) => Reply;
let worker: WorkerProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-worker-"));
  [metadata, server] = await Promise.all([fakeMetadataService(), fakeNodeFunction((call) => reply(call))]);
});
afterEach(async () => {
  worker.child.kill("SIGKILL");
  await worker.ended;
  await Promise.all([metadata, server].map((each) => each.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Orders one job until the worker reports it. */
function run(job: string, spec: Partial<JobSpec>): void {
  const order = runOrder(spec, { job, upload: { bucket, kmsKey }, log: { group, stream: `${job}/1` } });
  reply = (call) => orders({ orders: call.attempts.length > 0 ? [] : [order] });
  const env = { FLEETWRIGHT_NODE_URL: server.url, FLEETWRIGHT_POOL: "gpu", FLEETWRIGHT_FOLDER: folder, AWS_REGION: "us-east-1" };
  worker = startWorker({ ...env, AWS_ENDPOINT_URL: endpoint, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url }, bundle);
}
const last = () => server.calls.at(-1)?.attempts[0];
const node = (script: string) => [process.execPath, "-e", script];

const bytesOf = async (key: string): Promise<Buffer> => {
  const response = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await response.Body?.transformToByteArray()) ?? []);
};

describe("a worker and AWS", () => {
  test("a worker fetches code, uploads small and large files under the team's key, and lists them last", async () => {
    const code = craftArchive([{ path: "data/seed", body: "17" }]);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "code/train.tar.gz", Body: code }));
    const sha256 = createHash("sha256").update(code).digest("hex");
    const script = `
      const { mkdirSync, writeFileSync, readFileSync } = require("node:fs");
      mkdirSync("out/deep", { recursive: true });
      writeFileSync("out/deep/seed of joy+ü.txt", readFileSync("data/seed"));
      writeFileSync("out/empty", "");
      writeFileSync("out/model.bin", require("node:crypto").randomBytes(20 * 1024 * 1024));
      writeFileSync(${JSON.stringify(join(folder, "kept"))}, readFileSync("out/model.bin"));`;
    run("whole", { command: node(script), code: { s3: `s3://${bucket}/code/train.tar.gz`, sha256 }, artifacts: ["out"] });
    await expect.poll(last, until).toMatchObject({ job: "whole", phase: "uploaded" });

    const listed = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "vision/whole/1/" }));
    expect(listed.Contents?.map((object) => object.Key).sort()).toEqual([
      "vision/whole/1/files/out/deep/seed of joy+ü.txt",
      "vision/whole/1/files/out/empty",
      "vision/whole/1/files/out/model.bin",
      "vision/whole/1/manifest.json",
    ]);
    const manifest = Manifest.parse(JSON.parse((await bytesOf("vision/whole/1/manifest.json")).toString()));
    const model = await bytesOf("vision/whole/1/files/out/model.bin");
    expect(model.equals(await readFile(join(folder, "kept")))).toBe(true);
    for (const artifact of manifest.artifacts) {
      const bytes = await bytesOf(`vision/whole/1/files/${artifact.path}`);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect(artifact).toEqual({ path: artifact.path, bytes: bytes.length, sha256, mode: 0o644 });
    }
    expect(manifest.artifacts.length).toBe(3);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "vision/whole/1/files/out/model.bin" }));
    expect(head).toMatchObject({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey });
    expect(worker.log.join()).not.toMatch(/secret|job-token/);
  });

  test("a worker writes a job's output to its log stream in order", async () => {
    run("talks", { command: node("for (let i = 1; i <= 300; i++) console.log('step ' + i); console.log(''); console.error('done')") });
    await expect.poll(last, until).toMatchObject({ job: "talks", phase: "uploaded" });
    const read = async () => {
      const page = new GetLogEventsCommand({ logGroupName: group, logStreamName: "talks/1", startFromHead: true, limit: 1000 });
      const response = await logs.send(page).catch(() => undefined);
      return response?.events?.map((event) => event.message) ?? [];
    };
    await expect.poll(async () => (await read()).length, until).toBe(302);
    const lines = await read();
    expect(lines.filter((line) => line?.startsWith("step "))).toEqual(Array.from({ length: 300 }, (_, n) => `step ${n + 1}`));
    expect(lines).toContain("done");
  });

  test("a worker runs a job even if its log group does not exist", async () => {
    const order = runOrder(
      { command: node("console.log('unheard')") },
      { job: "mute", upload: { bucket, kmsKey }, log: { group: `${group}-none`, stream: "x" } },
    );
    run("mute", {});
    reply = (call) => orders({ orders: call.attempts.length > 0 ? [] : [order] });
    await expect.poll(last, until).toMatchObject({ job: "mute", phase: "uploaded" });
  });

  test.each([
    ["no-bucket", `s3://no-bucket-${name}/train.tar.gz`, "there is no bucket for the code archive"],
    ["no-object", `s3://${bucket}/nothing.tar.gz`, "there is no code archive at"],
    ["no-archive", `s3://${bucket}/code/noise`, "is not a complete .tar.gz"],
  ])("a job whose code does not exist or is not an archive fails for good: %s", async (job, address, why) => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "code/noise", Body: randomBytes(1000) }));
    run(job, { command: ["true"], code: { s3: address } });
    await expect.poll(last, until).toMatchObject({ phase: "failed", again: false, reason: expect.stringContaining(why) });
  });

  test("a job whose files cannot be uploaded fails and may be retried", async () => {
    run("lost-bucket", {});
    const order = runOrder(
      { command: ["true"] },
      { job: "lost-bucket", upload: { bucket: `none-${name}`, kmsKey }, log: { group, stream: "lost/1" } },
    );
    reply = (call) => orders({ orders: call.attempts.length > 0 ? [] : [order] });
    await expect
      .poll(last, until)
      .toMatchObject({ phase: "failed", again: true, reason: expect.stringContaining("could not be uploaded") });
  });
});
